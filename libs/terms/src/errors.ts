/**
 * What went wrong, for programs. The message says it for people.
 * @publicApi
 */
export type TermErrorCode =
  | 'unsupported_type'
  | 'not_finite'
  | 'cycle'
  | 'lone_surrogate'
  | 'duplicate_key'
  | 'atom_too_long'
  | 'bitstring_refused'
  | 'too_many_bytes'
  | 'too_deep'
  | 'no_version'
  | 'truncated'
  | 'trailing_bytes'
  | 'unsupported_tag'
  | 'malformed'
  | 'bad_compression'
  | 'invalid_range'
  | 'invalid_limit';

/**
 * Base of every error that this package throws on purpose. Thrown itself for a bad argument: `invalid_range` (phash2),
 * `invalid_limit` (limits).
 *
 * @publicApi
 */
export class TermError extends Error {
  readonly code: TermErrorCode;

  constructor(code: TermErrorCode, message: string) {
    super(message);
    this.code = code;
    this.name = new.target.name;
  }
}

/**
 * A JavaScript value has no counterpart among the Erlang terms that may be a key.
 *
 * @publicApi
 */
export class TermEncodeError extends TermError {
  /** Where in the value: `$` is the value itself, `$.a[2]` the third element of its property `a`. */
  readonly path: string;

  constructor(code: TermErrorCode, path: string, message: string) {
    super(code, message);
    this.path = path;
  }
}

/**
 * Bytes are not one whole term of the external format, or hold a term that cannot be a key (pid, reference, port, fun).
 *
 * @publicApi
 */
export class TermDecodeError extends TermError {
  /** Offset in bytes where reading stopped; for a compressed term, within what was inflated. */
  readonly offset: number;

  constructor(code: TermErrorCode, offset: number, message: string) {
    super(code, message);
    this.offset = offset;
  }
}

/**
 * A term, in either direction, is longer (`too_many_bytes`) or nested deeper (`too_deep`) than the limits allow.
 *
 * @publicApi
 */
export class TermTooLargeError extends TermError {
  /** The limit that was passed: bytes or levels. */
  readonly limit: number;

  constructor(code: 'too_many_bytes' | 'too_deep', limit: number, message: string) {
    super(code, message);
    this.limit = limit;
  }
}
