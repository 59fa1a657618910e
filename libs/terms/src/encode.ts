import { checkTerm, loneSurrogate } from './check.js';
import { magnitudeBytes } from './integers.js';
import { resolveLimits, tooManyBytes, type TermLimits } from './limits.js';
import { TermOrder } from './order.js';
import { asByte, shapeOf, type Pair } from './shape.js';
import { BINARY_HEADER, Tag, VERSION } from './format.js';
import type { Term } from './term.js';
import { utf8Length, writeUtf8 } from './utf8.js';
import { ByteWriter } from './writer.js';

/** Longest list of bytes that Erlang writes as STRING_EXT: its length field has 16 bits. */
const MAX_STRING_EXT = 0xffff;

/**
 * The bytes that `term_to_binary/1` of OTP 26 writes: atoms in UTF-8, lists of bytes as STRING_EXT, integers in their
 * shortest form. The pairs of every map are sorted by Erlang's order of terms, so that equal maps have equal bytes: what
 * OTP 25 writes with the options `deterministic` and `{minor_version, 2}`. Without them Erlang leaves maps of more than
 * 32 keys unsorted, and OTP 26 orders atoms in smaller ones by its own atom table.
 *
 * -0.0 keeps its sign, as in Erlang. To compare two keys, compare their {@link canonicalize}d bytes.
 *
 * The returned array owns its memory.
 *
 * Throws `TermEncodeError` for what is no term (with its path), `TermTooLargeError` beyond the limits.
 *
 * @example
 * encodeTerm('user_1'); // 83 6d 00 00 00 06 75 73 65 72 5f 31
 *
 * @publicApi
 */
export function encodeTerm(term: Term, limits?: TermLimits): Uint8Array {
  const resolved = resolveLimits(limits);
  if (typeof term === 'string') return encodeText(term, resolved.maxBytes);
  if (term instanceof Uint8Array) return encodeBytes(term, resolved.maxBytes);
  checkTerm(term, resolved);
  return writeTerm(term, resolved.maxBytes, false);
}

/** Encodes a term that was checked before. `canonical` drops the sign of -0.0. */
export function writeTerm(term: Term, maxBytes: number, canonical: boolean): Uint8Array {
  const out = new ByteWriter(maxBytes);
  out.u8(VERSION);
  new TermEncoder(out, canonical).write(term);
  return out.finish();
}

/** The way of nearly every key: a short string. */
function encodeText(text: string, maxBytes: number): Uint8Array {
  const length = utf8Length(text);
  if (length < 0) throw loneSurrogate('$');
  const encoded = binaryOf(length, maxBytes);
  writeUtf8(text, encoded, BINARY_HEADER);
  return encoded;
}

function encodeBytes(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const encoded = binaryOf(bytes.length, maxBytes);
  encoded.set(bytes, BINARY_HEADER);
  return encoded;
}

/** A whole binary whose content is still to be written. */
function binaryOf(length: number, maxBytes: number): Uint8Array {
  if (BINARY_HEADER + length > maxBytes) throw tooManyBytes(maxBytes);
  const encoded = new Uint8Array(BINARY_HEADER + length);
  encoded[0] = VERSION;
  encoded[1] = Tag.binary;
  encoded[2] = length >>> 24;
  encoded[3] = length >>> 16;
  encoded[4] = length >>> 8;
  encoded[5] = length;
  return encoded;
}

class TermEncoder {
  private readonly out: ByteWriter;
  private readonly canonical: boolean;
  private readonly order = new TermOrder();

  constructor(out: ByteWriter, canonical: boolean) {
    this.out = out;
    this.canonical = canonical;
  }

  write(term: Term): void {
    const shape = shapeOf(term);
    switch (shape.kind) {
      case 'binary':
        return this.writeBinary(shape.value);
      case 'integer':
        return this.writeInteger(shape.value);
      case 'atom':
        return this.writeAtom(shape.name);
      case 'tuple':
        return this.writeTuple(shape.elements);
      case 'list':
        return this.writeList(shape.elements, shape.tail);
      case 'map':
        return this.writeMap(term, shape.pairs);
      case 'float':
        this.out.u8(Tag.newFloat);
        // -0.0 + 0.0 is 0.0.
        return this.out.f64(this.canonical ? shape.value + 0 : shape.value);
      case 'bitstring':
        this.out.u8(Tag.bitBinary);
        this.out.u32(shape.value.bytes.length);
        this.out.u8(shape.value.bitsInLastByte);
        return this.out.raw(shape.value.bytes);
    }
  }

  private writeBinary(value: string | Uint8Array): void {
    this.out.u8(Tag.binary);
    if (typeof value === 'string') {
      const length = utf8Length(value);
      this.out.u32(length);
      this.out.utf8(value, length);
    } else {
      this.out.u32(value.length);
      this.out.raw(value);
    }
  }

  private writeInteger(value: number | bigint): void {
    if (value >= 0 && value <= 255) {
      this.out.u8(Tag.smallInteger);
      this.out.u8(Number(value));
    } else if (value >= -0x80000000 && value <= 0x7fffffff) {
      this.out.u8(Tag.integer);
      this.out.u32(Number(value));
    } else {
      const magnitude = magnitudeBytes(value);
      if (magnitude.length <= 255) {
        this.out.u8(Tag.smallBig);
        this.out.u8(magnitude.length);
      } else {
        this.out.u8(Tag.largeBig);
        this.out.u32(magnitude.length);
      }
      this.out.u8(value < 0 ? 1 : 0);
      this.out.raw(magnitude);
    }
  }

  private writeAtom(name: string): void {
    const length = utf8Length(name);
    if (length <= 255) {
      this.out.u8(Tag.smallAtomUtf8);
      this.out.u8(length);
    } else {
      this.out.u8(Tag.atomUtf8);
      this.out.u16(length);
    }
    this.out.utf8(name, length);
  }

  private writeTuple(elements: readonly Term[]): void {
    if (elements.length <= 255) {
      this.out.u8(Tag.smallTuple);
      this.out.u8(elements.length);
    } else {
      this.out.u8(Tag.largeTuple);
      this.out.u32(elements.length);
    }
    for (const element of elements) this.write(element);
  }

  private writeList(elements: readonly Term[], tail: Term | undefined): void {
    if (elements.length === 0) {
      this.out.u8(Tag.nil);
    } else if (tail === undefined && isByteString(elements)) {
      this.out.u8(Tag.string);
      this.out.u16(elements.length);
      for (const element of elements) this.out.u8(Number(element));
    } else {
      this.out.u8(Tag.list);
      this.out.u32(elements.length);
      for (const element of elements) this.write(element);
      this.write(tail === undefined ? [] : tail);
    }
  }

  private writeMap(map: Term, pairs: readonly Pair[]): void {
    this.out.u8(Tag.map);
    this.out.u32(pairs.length);
    for (const [key, value] of this.order.sortPairs(map, pairs)) {
      this.write(key);
      this.write(value);
    }
  }
}

function isByteString(elements: readonly Term[]): boolean {
  return elements.length <= MAX_STRING_EXT && elements.every((element) => asByte(element) >= 0);
}
