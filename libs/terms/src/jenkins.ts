/**
 * Bob Jenkins' hash of 1996 ("lookup2", Dr. Dobb's Journal, September 1997) as Erlang's phash2 uses it: 32-bit words,
 * an accumulator `c` that carries the hash of what came before.
 */

/** The golden ratio, 2^32 / phi; the arbitrary start value of the algorithm. */
const GOLDEN_RATIO = 0x9e3779b9;

/** `n` times the golden ratio, modulo 2^32: phash2 keeps types apart by such salts. */
export function salt(n: number): number {
  return Math.imul(GOLDEN_RATIO, n);
}

/** Mixes two words into `hash`. The result is a signed 32-bit integer. */
export function mixWords(first: number, second: number, constant: number, hash: number): number {
  let a = (constant + first) | 0;
  let b = (constant + second) | 0;
  let c = hash;
  a = (a - b - c) ^ (c >>> 13);
  b = (b - c - a) ^ (a << 8);
  c = (c - a - b) ^ (b >>> 13);
  a = (a - b - c) ^ (c >>> 12);
  b = (b - c - a) ^ (a << 16);
  c = (c - a - b) ^ (b >>> 5);
  a = (a - b - c) ^ (c >>> 3);
  b = (b - c - a) ^ (a << 10);
  return (c - a - b) ^ (b >>> 15);
}

/** Hashes `length` bytes from `start` on. The result is a signed 32-bit integer. */
export function hashBlock(bytes: Uint8Array, start: number, length: number, initial: number): number {
  let a = GOLDEN_RATIO | 0;
  let b = a;
  let c = initial | 0;
  let at = start;
  let left = length;
  for (; left >= 12; left -= 12, at += 12) {
    a = (a + word(bytes, at)) | 0;
    b = (b + word(bytes, at + 4)) | 0;
    c = (c + word(bytes, at + 8)) | 0;
    // The rounds of mixWords, kept in registers here.
    a = (a - b - c) ^ (c >>> 13);
    b = (b - c - a) ^ (a << 8);
    c = (c - a - b) ^ (b >>> 13);
    a = (a - b - c) ^ (c >>> 12);
    b = (b - c - a) ^ (a << 16);
    c = (c - a - b) ^ (b >>> 5);
    a = (a - b - c) ^ (c >>> 3);
    b = (b - c - a) ^ (a << 10);
    c = (c - a - b) ^ (b >>> 15);
  }
  // The lowest byte of the third word belongs to the length.
  a += partialWord(bytes, at, Math.min(left, 4));
  b += partialWord(bytes, at + 4, Math.min(left - 4, 4));
  c += length + (partialWord(bytes, at + 8, left - 8) << 8);
  return mixWords(a, b, 0, c | 0);
}

/** Four bytes as a word, lowest first. */
function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** The first `count` bytes of a word, lowest first; none when `count` is negative. */
function partialWord(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value |= (bytes[at + i] as number) << (8 * i);
  return value;
}
