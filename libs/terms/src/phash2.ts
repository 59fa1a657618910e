import { checkTerm } from './check.js';
import { decodeTerm } from './decode.js';
import { TermError } from './errors.js';
import { BINARY_HEADER, isWholeBinary } from './format.js';
import { DEFAULT_MAX_BYTES, DEFAULT_MAX_DEPTH } from './limits.js';
import type { Term } from './term.js';
import { hashBinary, hashTerm, hashText } from './term-hash.js';

const DEFAULT_RANGE = 2 ** 27;
const MAX_RANGE = 2 ** 32;

/** Bound on the work of one call: a small value can stand for a huge term when one array occurs at many places. */
const MAX_VALUES = 2 ** 24;

/**
 * `erlang:phash2/1` and `/2` of a term: the same number in every Erlang system of every version.
 *
 * `range` is 2^27 by default, and may be any integer from 1 to 2^32; the hash is from 0 to `range` - 1. A
 * term may have 256 levels and 2^24 values inside it; its length in bytes is not limited.
 *
 * Throws `TermError` `invalid_range`, `TermEncodeError` for what is no term, `TermTooLargeError`.
 *
 * @example
 * phash2('user_1', 128); // 7
 *
 * @publicApi
 */
export function phash2(term: Term, range: number = DEFAULT_RANGE): number {
  if (typeof term === 'string') return inRange(hashText(term, 0), range);
  checkTerm(term, { maxBytes: MAX_VALUES, maxDepth: DEFAULT_MAX_DEPTH, bitstrings: true });
  return inRange(hashTerm(term, 0), range);
}

/**
 * {@link phash2} of the term that `bytes` encode, as a consumer finds it on the wire. Bit strings are hashed too. A
 * compressed term may inflate to 16,384 bytes, or to the length of `bytes`.
 *
 * Throws `TermError` `invalid_range`, and what {@link decodeTerm} throws.
 *
 * @publicApi
 */
export function phash2Encoded(bytes: Uint8Array, range: number = DEFAULT_RANGE): number {
  if (isWholeBinary(bytes)) {
    return inRange(hashBinary(bytes, BINARY_HEADER, bytes.length - BINARY_HEADER, 0), range);
  }
  const term = decodeTerm(bytes, { maxBytes: Math.max(DEFAULT_MAX_BYTES, bytes.length), bitstrings: true });
  return inRange(hashTerm(term, 0), range);
}

function inRange(hash: number, range: number): number {
  if (!Number.isSafeInteger(range) || range < 1 || range > MAX_RANGE) {
    throw new TermError('invalid_range', `The range of phash2 is ${range}: give a whole number from 1 to 2^32.`);
  }
  return (hash >>> 0) % range;
}
