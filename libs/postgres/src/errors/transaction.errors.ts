import { MississippiError } from '@mississippi/core';

/**
 * A handler asked for something that would begin or end its transaction.
 * @publicApi
 */
export class TransactionControlError extends MississippiError {
  readonly code = 'transaction_control';

  constructor() {
    super(
      'A handler may not begin or end its transaction: it commits with the message, and throwing undoes it. Savepoints may be used.',
    );
  }
}

/**
 * A handler's transaction was used when it was over.
 * @publicApi
 */
export class TransactionOverError extends MississippiError {
  readonly code = 'transaction_over';

  constructor(why: string, cause?: unknown) {
    super(`The transaction is over: ${why}.`, cause === undefined ? {} : { cause });
  }
}
