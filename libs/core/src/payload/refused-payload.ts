import type { PayloadDecodeError, PayloadInvalidError } from '../errors/index.js';

/** Thrown inside an attempt when the payload never reached the handler: no further attempt can fix that. */
export class RefusedPayload extends Error {
  /** @param thrown what a pipe threw, where it was one that objected */
  constructor(
    readonly reason: PayloadDecodeError | PayloadInvalidError,
    thrown: unknown = reason,
  ) {
    super(reason.message, { cause: thrown });
  }
}
