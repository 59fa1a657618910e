import { TermError, TermTooLargeError } from './errors.js';

/**
 * Default of `maxBytes`: 16 KiB, the most that a sharding key may take on the wire.
 * @publicApi
 */
export const DEFAULT_MAX_BYTES = 16_384;

/**
 * Default of `maxDepth`: far beyond any real key, far below what the JavaScript stack carries.
 * @publicApi
 */
export const DEFAULT_MAX_DEPTH = 256;

/** Largest `maxDepth` that may be asked for: terms are walked by recursion. */
const HIGHEST_MAX_DEPTH = 1_000;

/**
 * What a term may cost.
 *
 * @publicApi
 */
export interface TermLimits {
  /**
   * Most bytes of the encoded term, version byte included; when decoding a compressed term, of the inflated one too.
   * Default 16,384.
   */
  readonly maxBytes?: number;
  /** Most lists, tuples and maps around one another. Default 256, at most 1,000. */
  readonly maxDepth?: number;
  /** Allow bit strings that do not fill their last byte (`ErlangBitstring`). Default false: they are refused. */
  readonly bitstrings?: boolean;
}

/** {@link TermLimits} with nothing left open. */
export type ResolvedLimits = Required<TermLimits>;

export const DEFAULT_LIMITS: ResolvedLimits = Object.freeze({
  maxBytes: DEFAULT_MAX_BYTES,
  maxDepth: DEFAULT_MAX_DEPTH,
  bitstrings: false,
});

/** Fills in the defaults. Throws {@link TermError} `invalid_limit`. */
export function resolveLimits(limits: TermLimits | undefined): ResolvedLimits {
  if (limits === undefined) return DEFAULT_LIMITS;
  const { maxBytes = DEFAULT_MAX_BYTES, maxDepth = DEFAULT_MAX_DEPTH, bitstrings = false } = limits;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new TermError('invalid_limit', `maxBytes is ${maxBytes}: give a whole number of bytes from 1 on.`);
  }
  if (!Number.isSafeInteger(maxDepth) || maxDepth < 1 || maxDepth > HIGHEST_MAX_DEPTH) {
    throw new TermError(
      'invalid_limit',
      `maxDepth is ${maxDepth}: give a whole number of levels from 1 to ${HIGHEST_MAX_DEPTH}.`,
    );
  }
  return { maxBytes, maxDepth, bitstrings };
}

/** The error for a term of more than `limit` bytes. */
export function tooManyBytes(limit: number): TermTooLargeError {
  return new TermTooLargeError(
    'too_many_bytes',
    limit,
    `The term takes more than ${limit} bytes in the external term format: use a shorter key, or a hash of it.`,
  );
}

/** The error for a term nested deeper than `limit`. `where` is a path or an offset. */
export function tooDeep(limit: number, where: string): TermTooLargeError {
  return new TermTooLargeError(
    'too_deep',
    limit,
    `The term is nested deeper than ${limit} levels at ${where}: flatten it.`,
  );
}
