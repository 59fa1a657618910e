import { loneSurrogate } from './check.js';
import { magnitudeBytes } from './integers.js';
import { hashBlock, mixWords, salt } from './jenkins.js';
import { asByte, shapeOf, type Pair } from './shape.js';
import type { ErlangBitstring, Term } from './term.js';
import { utf8Bytes, utf8Length, writeUtf8 } from './utf8.js';

/** The salts of OTP's make_hash2 (erts/emulator/beam/utils.c up to OTP 26, erl_term_hashing.c from OTP 27 on). */
const SMALL_INTEGER = salt(1);
const NIL = salt(2);
const ATOM = salt(3);
const BYTES_IN_LIST = salt(4);
const TUPLE = salt(9);
const NEGATIVE = salt(10);
const POSITIVE = salt(11);
const FLOAT = salt(12);
const BINARY = salt(13);
const LAST_BITS = salt(15);
const MAP = salt(16);
const MAP_PAIRS = salt(19);

/** OTP's type number of `[]` when it follows something, and its whole hash when it follows nothing. */
const NIL_TYPE = 2;
const NIL_ALONE = 3_468_870_702;

/**
 * The hash of a term that was checked before, `hash` being that of everything in front of it. Where that is 0, an atom
 * or `[]` sets it instead of being mixed in; OTP does so at the start of a term, of a map's pair, and by chance.
 */
export function hashTerm(term: Term, hash: number): number {
  const shape = shapeOf(term);
  switch (shape.kind) {
    case 'binary':
      if (typeof shape.value === 'string') return hashText(shape.value, hash);
      return hashBinary(shape.value, 0, shape.value.length, hash);
    case 'integer':
      return hashInteger(shape.value, hash);
    case 'float':
      return hashFloat(shape.value, hash);
    case 'atom':
      return hash === 0 ? atomHash(shape.name) : mixWords(atomHash(shape.name), 0, ATOM, hash);
    case 'tuple':
      return shape.elements.reduce<number>(
        (before, element) => hashTerm(element, before),
        mixWords(shape.elements.length, 0, TUPLE, hash),
      );
    case 'list':
      return hashTail(shape.tail, hashElements(shape.elements, hash));
    case 'map':
      return hashMap(shape.pairs, hash);
    default:
      return hashBitstring(shape.value, hash);
  }
}

function hashBitstring({ bytes, bitsInLastByte }: ErlangBitstring, hash: number): number {
  const whole = bytes.length - 1;
  const last = (bytes[whole] as number) >> (8 - bitsInLastByte);
  return mixWords(bitsInLastByte, last, LAST_BITS, hashBlock(bytes, 0, whole, BINARY + hash));
}

/** Runs of bytes go in four at a time, highest first. */
function hashElements(elements: readonly Term[], before: number): number {
  let hash = before;
  let packed = 0;
  let count = 0;
  for (const element of elements) {
    const byte = asByte(element);
    if (byte >= 0) {
      packed = (packed << 8) | byte;
      count++;
    }
    if (count === 4 || (byte < 0 && count > 0)) {
      hash = mixWords(packed, 0, BYTES_IN_LIST, hash);
      packed = count = 0;
    }
    if (byte < 0) hash = hashTerm(element, hash);
  }
  return count > 0 ? mixWords(packed, 0, BYTES_IN_LIST, hash) : hash;
}

function hashTail(tail: Term | undefined, hash: number): number {
  if (tail !== undefined) return hashTerm(tail, hash);
  return hash === 0 ? NIL_ALONE | 0 : mixWords(NIL_TYPE, 0, NIL, hash);
}

/** Every pair is hashed on its own and the hashes are joined by exclusive or, so that their order does not matter. */
function hashMap(pairs: readonly Pair[], before: number): number {
  const hash = mixWords(pairs.length, 0, MAP, before);
  if (pairs.length === 0) return hash;
  let joined = 0;
  for (const [key, value] of pairs) joined ^= hashTerm(value, hashTerm(key, 0));
  return mixWords(joined, 0, MAP_PAIRS, hash);
}

/** Integers of 28 bits are mixed as one word (negative ones as two), all others as 64-bit digits of their magnitude. */
function hashInteger(value: number | bigint, before: number): number {
  if (value >= -0x8000000 && value < 0x8000000) {
    const small = Number(value);
    const hash = small < 0 ? mixWords(-small, 0, SMALL_INTEGER, before) : before;
    return mixWords(small, 0, SMALL_INTEGER, hash);
  }
  const magnitude = magnitudeBytes(value);
  const constant = value < 0 ? NEGATIVE : POSITIVE;
  let hash = before;
  for (let at = 0; at < magnitude.length; at += 8) {
    hash = mixWords(littleEndian(magnitude, at), littleEndian(magnitude, at + 4), constant, hash);
  }
  return hash;
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

const DOUBLE = new DataView(new ArrayBuffer(8));

function hashFloat(value: number, hash: number): number {
  DOUBLE.setFloat64(0, value + 0); // -0.0 hashes as 0.0
  return mixWords(DOUBLE.getInt32(0), DOUBLE.getInt32(4), FLOAT, hash);
}

/** The hash of a binary's bytes. */
export function hashBinary(bytes: Uint8Array, start: number, length: number, hash: number): number {
  return length === 0 ? (BINARY + hash) | 0 : hashBlock(bytes, start, length, BINARY + hash);
}

/** Room for the UTF-8 bytes of any short string, used within one call only. */
const scratch = new Uint8Array(768);
const SCRATCH_UNITS = scratch.length / 3;

/** The hash of a string as a binary. Throws `TermEncodeError` for a lone surrogate. */
export function hashText(text: string, hash: number): number {
  const length = utf8Length(text);
  if (length < 0) throw loneSurrogate('$');
  if (text.length > SCRATCH_UNITS) return hashBinary(utf8Bytes(text), 0, length, hash);
  writeUtf8(text, scratch, 0);
  return hashBinary(scratch, 0, length, hash);
}

/**
 * The hash of an atom's name: P. J. Weinberger's, from the "dragon book" (Aho, Sethi, Ullman), over its Latin-1
 * characters where it has such, else over its UTF-8 bytes, as OTP has done since names became UTF-8 (atom.c).
 */
function atomHash(name: string): number {
  const bytes = utf8Bytes(name);
  let hash = 0;
  for (let i = 0; i < bytes.length; i++) {
    let unit = bytes[i] as number;
    if ((unit & 0xfe) === 0xc2 && i + 1 < bytes.length) {
      unit = ((unit << 6) | ((bytes[++i] as number) & 0x3f)) & 0xff;
    }
    hash = ((hash << 4) + unit) | 0;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24) ^ high) | 0;
  }
  return hash;
}
