import { TermEncodeError } from './errors.js';
import { countCodePoints, utf8Length } from './utf8.js';

/**
 * What may be encoded, and what decoding gives back.
 *
 * | JavaScript | Erlang |
 * |---|---|
 * | string | binary, UTF-8 |
 * | Uint8Array | binary |
 * | safe integer (`-0` is 0), bigint | integer |
 * | other finite number (`1.5`, but `2 ** 53` too) | float |
 * | `ErlangFloat` | float, with an integer value too |
 * | true, false, null | atoms `true`, `false`, `nil` |
 * | `ErlangAtom` | atom |
 * | array | proper list |
 * | plain object | map with binary keys |
 * | Map | map |
 * | `ErlangTuple`, `ErlangImproperList`, `ErlangBitstring` | tuple, list with a tail, bit string |
 *
 * @publicApi
 */
export type Term =
  | string
  | Uint8Array
  | number
  | bigint
  | boolean
  | null
  | readonly Term[]
  | { readonly [key: string]: Term }
  | ReadonlyMap<Term, Term>
  | ErlangAtom
  | ErlangTuple
  | ErlangFloat
  | ErlangImproperList
  | ErlangBitstring;

/** Erlang's limit on the name of an atom, in characters ("Atom", Erlang Reference Manual; MAX_ATOM_CHARACTERS in OTP). */
export const MAX_ATOM_CHARACTERS = 255;

/**
 * An Erlang atom, such as `ok` or `'Elixir.String'`. Immutable.
 *
 * `new ErlangAtom('true')`, `'false'` and `'nil'` are the same terms as `true`, `false` and `null`, which is how they
 * are decoded.
 *
 * @publicApi
 */
export class ErlangAtom {
  readonly name: string;

  /** Throws {@link TermEncodeError}: `atom_too_long` beyond 255 characters, `lone_surrogate`, `unsupported_type`. */
  constructor(name: string) {
    if (typeof name !== 'string') {
      throw new TermEncodeError('unsupported_type', '$', `An atom's name is a ${typeof name}: give a string.`);
    }
    if (utf8Length(name) < 0) {
      throw new TermEncodeError('lone_surrogate', '$', "An atom's name holds a lone surrogate: give well-formed text.");
    }
    if (name.length > MAX_ATOM_CHARACTERS && countCodePoints(name) > MAX_ATOM_CHARACTERS) {
      throw new TermEncodeError(
        'atom_too_long',
        '$',
        `An atom's name has more than ${MAX_ATOM_CHARACTERS} characters: use a string instead.`,
      );
    }
    this.name = name;
    Object.freeze(this);
  }
}

/**
 * An Erlang tuple. Immutable: the elements are copied.
 *
 * @publicApi
 */
export class ErlangTuple {
  readonly elements: readonly Term[];

  constructor(elements: readonly Term[]) {
    this.elements = Object.freeze(Array.from(elements));
    Object.freeze(this);
  }
}

/**
 * An Erlang float. Needed where the value is an integer: `1` and `1.0` are two keys. Immutable.
 *
 * @publicApi
 */
export class ErlangFloat {
  readonly value: number;

  /** Throws {@link TermEncodeError} `not_finite` for NaN and the infinities, which Erlang does not have. */
  constructor(value: number) {
    if (!Number.isFinite(value)) {
      throw new TermEncodeError('not_finite', '$', `Erlang has no float ${String(value)}: give a finite number.`);
    }
    this.value = value;
    Object.freeze(this);
  }
}

/**
 * An Erlang list whose last tail is not `[]`, as `[1, 2 | tail]`. Immutable: the elements are copied.
 *
 * @publicApi
 */
export class ErlangImproperList {
  readonly elements: readonly Term[];
  readonly tail: Term;

  /** Throws {@link TermEncodeError} `unsupported_type` without elements, or when `tail` is a list: that is an array. */
  constructor(elements: readonly Term[], tail: Term) {
    if (elements.length === 0 || tail === undefined || Array.isArray(tail) || tail instanceof ErlangImproperList) {
      throw new TermEncodeError(
        'unsupported_type',
        '$',
        'An improper list has at least one element and a tail that is not a list: use an array for a proper list.',
      );
    }
    this.elements = Object.freeze(Array.from(elements));
    this.tail = tail;
    Object.freeze(this);
  }
}

/**
 * An Erlang bit string that does not fill its last byte, as `<<5:3>>`. The bytes are copied and padded with zero bits.
 * Encoded and decoded only where the limits say `bitstrings: true`.
 *
 * @publicApi
 */
export class ErlangBitstring {
  /** All bytes, the last one filled from its highest bit on. */
  readonly bytes: Uint8Array;
  /** Bits used of the last byte: 1 to 7. */
  readonly bitsInLastByte: number;

  /** Throws {@link TermEncodeError} `unsupported_type` without bytes, or for other than 1 to 7 bits. */
  constructor(bytes: Uint8Array, bitsInLastByte: number) {
    if (bytes.length === 0 || !Number.isInteger(bitsInLastByte) || bitsInLastByte < 1 || bitsInLastByte > 7) {
      throw new TermEncodeError(
        'unsupported_type',
        '$',
        'A bit string has at least one byte and 1 to 7 bits in the last one: use a Uint8Array for whole bytes.',
      );
    }
    const copy = Uint8Array.from(bytes);
    copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) & (0xff << (8 - bitsInLastByte));
    this.bytes = copy;
    this.bitsInLastByte = bitsInLastByte;
    Object.freeze(this);
  }
}
