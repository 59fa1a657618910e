/** A command line, or what it takes from the environment or a file, that cannot be followed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

/** What was asked for is not there. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
  readonly code = 'not_found';
}

/** Something that a command needs cannot be reached. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code = 'unreachable';
}

/** Somebody may not do it. */
export class DeniedError extends Error {
  override readonly name = 'DeniedError';
  readonly code = 'denied';
}

/** Ctrl-C came before it was done. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly code = 'interrupted';
}
