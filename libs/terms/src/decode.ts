import { TermDecodeError } from './errors.js';
import { FOREIGN_TAGS, Tag, VERSION } from './format.js';
import { inflateTerm } from './inflate.js';
import { inspectTerm } from './inspect.js';
import { integerFrom } from './integers.js';
import { resolveLimits, tooDeep, tooManyBytes, type ResolvedLimits, type TermLimits } from './limits.js';
import { TermOrder } from './order.js';
import { ByteReader } from './reader.js';
import {
  ErlangAtom,
  ErlangBitstring,
  ErlangFloat,
  ErlangImproperList,
  ErlangTuple,
  MAX_ATOM_CHARACTERS,
  type Term,
} from './term.js';
import { countCodePoints } from './utf8.js';

/**
 * The term that OTP 25 or 26 wrote, from bytes that need not be trusted: every length is checked before memory is
 * taken, nesting and size are limited, compressed terms included, and nothing may follow the term.
 *
 * A binary becomes a string where it is valid UTF-8, else a Uint8Array with memory of its own; either is encoded to the
 * same bytes again. An integer becomes a number where it is safe, else a bigint. A float becomes an `ErlangFloat` where
 * its value is an integer, else a number. The atoms `true`, `false` and `nil` become true, false and null; `undefined`
 * stays an atom. A map becomes a Map with its pairs in the order of the wire.
 *
 * Throws `TermDecodeError` (with the offset): not one whole term, two equal keys in a map, or a pid, reference, port,
 * function or bit string; `TermTooLargeError` beyond the limits; nothing else.
 *
 * @publicApi
 */
export function decodeTerm(bytes: Uint8Array, limits?: TermLimits): Term {
  const resolved = resolveLimits(limits);
  if (!(bytes instanceof Uint8Array)) {
    throw new TermDecodeError('unsupported_type', 0, `Terms are decoded from bytes, not from a ${typeof bytes}.`);
  }
  if (bytes.length > resolved.maxBytes) throw tooManyBytes(resolved.maxBytes);
  const envelope = new ByteReader(bytes, 0);
  if (bytes[0] !== VERSION) throw envelope.fail('no_version', `The version byte ${VERSION} is missing`);
  const compressed = bytes[1] === Tag.compressed;
  envelope.offset = compressed ? 2 : 1;
  const reader = compressed ? new ByteReader(inflateTerm(envelope, resolved.maxBytes), 0) : envelope;
  const term = new TermDecoder(reader, resolved).read(0);
  if (reader.left > 0) throw reader.fail('trailing_bytes', `${reader.left} bytes follow the term`);
  return term;
}

class TermDecoder {
  private readonly reader: ByteReader;
  private readonly limits: ResolvedLimits;
  private readonly order = new TermOrder();

  constructor(reader: ByteReader, limits: ResolvedLimits) {
    this.reader = reader;
    this.limits = limits;
  }

  /** Reads one term inside of `depth` containers. */
  read(depth: number): Term {
    const { reader } = this;
    const tag = reader.u8();
    switch (tag) {
      case Tag.binary:
        return reader.textOrBytes(reader.u32());
      case Tag.smallInteger:
        return reader.u8();
      case Tag.integer:
        return reader.i32();
      case Tag.smallBig:
        return this.readBig(reader.u8());
      case Tag.largeBig:
        return this.readBig(reader.u32());
      case Tag.newFloat:
        return this.asFloat(reader.f64());
      case Tag.float:
        return this.readFloatText();
      case Tag.smallAtomUtf8:
        return this.readAtomUtf8(reader.u8());
      case Tag.atomUtf8:
        return this.readAtomUtf8(reader.u16());
      case Tag.smallAtom:
        return this.asAtom(reader.latin1(reader.u8()));
      case Tag.atom:
        return this.asAtom(reader.latin1(reader.u16()));
      case Tag.smallTuple:
        return new ErlangTuple(this.readMany(reader.u8(), this.within(depth)));
      case Tag.largeTuple:
        return new ErlangTuple(this.readMany(reader.count(1), this.within(depth)));
      case Tag.nil:
        return [];
      case Tag.string:
        return Array.from(reader.raw(reader.u16()));
      case Tag.list:
        return this.readList(reader.count(1), this.within(depth));
      case Tag.map:
        return this.readMap(reader.count(2), this.within(depth));
      case Tag.bitBinary:
        return this.readBitstring();
      default:
        reader.offset--;
        throw reader.fail('unsupported_tag', describeTag(tag));
    }
  }

  /** One level deeper. */
  private within(depth: number): number {
    if (depth === this.limits.maxDepth) throw tooDeep(depth, `byte ${this.reader.offset}`);
    return depth + 1;
  }

  private readMany(count: number, depth: number): Term[] {
    const terms: Term[] = [];
    for (let i = 0; i < count; i++) terms.push(this.read(depth));
    return terms;
  }

  private readBig(length: number): number | bigint {
    // OTP reads every sign other than 0 as a minus.
    const negative = this.reader.u8() !== 0;
    const digits = this.reader.raw(length);
    return integerFrom(digits.subarray(0, digits.findLastIndex((byte) => byte !== 0) + 1), negative);
  }

  /** FLOAT_EXT: what C's `%.20e` prints, in 31 bytes padded with zeros; written before OTP 17 and still allowed. */
  private readFloatText(): Term {
    const text = this.reader.latin1(31).replace(/\0+$/, '');
    if (!/^[+-]?\d+\.\d+(?:e[+-]?\d+)?$/i.test(text)) throw this.reader.fail('malformed', 'A float is not a number');
    return this.asFloat(Number(text));
  }

  private asFloat(value: number): Term {
    if (!Number.isFinite(value)) throw this.reader.fail('malformed', 'A float is not finite');
    return Number.isInteger(value) ? new ErlangFloat(value) : value;
  }

  private readAtomUtf8(length: number): Term {
    const name = this.reader.textOrBytes(length);
    if (typeof name !== 'string') throw this.reader.fail('malformed', "An atom's name is not UTF-8");
    return this.asAtom(name);
  }

  private asAtom(name: string): Term {
    if (name === 'true') return true;
    if (name === 'false') return false;
    if (name === 'nil') return null;
    if (name.length > MAX_ATOM_CHARACTERS && countCodePoints(name) > MAX_ATOM_CHARACTERS) {
      throw this.reader.fail('atom_too_long', `An atom has more than ${MAX_ATOM_CHARACTERS} characters`);
    }
    return new ErlangAtom(name);
  }

  /** A tail that is a list again is part of the list, as it is in Erlang's memory. */
  private readList(count: number, depth: number): Term {
    const elements = this.readMany(count, depth);
    const tail = this.read(depth);
    if (count === 0) return tail;
    if (Array.isArray(tail)) return elements.concat(tail as readonly Term[]);
    if (tail instanceof ErlangImproperList) return new ErlangImproperList(elements.concat(tail.elements), tail.tail);
    return new ErlangImproperList(elements, tail);
  }

  private readMap(count: number, depth: number): Term {
    const map = new Map<Term, Term>();
    let compound = false;
    for (let i = 0; i < count; i++) {
      const key = this.read(depth);
      if (typeof key === 'object' && key !== null) compound = true;
      else if (map.has(key)) throw this.duplicate(key);
      map.set(key, this.read(depth));
    }
    // A decoded term has one spelling, so only keys that are objects can be equal without being the same to a Map.
    const duplicate = compound ? this.order.findDuplicate(map, [...map]) : undefined;
    if (duplicate !== undefined) throw this.duplicate(duplicate.key);
    return map;
  }

  private duplicate(key: Term): Error {
    return this.reader.fail('duplicate_key', `A map has the key ${inspectTerm(key, 64)} twice`);
  }

  private readBitstring(): Term {
    const { reader } = this;
    if (!this.limits.bitstrings) {
      throw reader.fail('bitstring_refused', 'A bit string that does not fill its last byte is no key by default');
    }
    const length = reader.u32();
    const bits = reader.u8();
    const bytes = reader.raw(length);
    if (length === 0 || bits < 1 || bits > 7) throw reader.fail('malformed', `A bit string ends with ${bits} bits`);
    return new ErlangBitstring(bytes, bits);
  }
}

function describeTag(tag: number): string {
  const foreign = FOREIGN_TAGS.get(tag);
  return foreign === undefined ? `The tag ${tag} is unknown` : `The term is or holds ${foreign}, which is no key,`;
}
