import { describe } from './describe.js';
import { MississippiError } from './mississippi.error.js';

/**
 * Somebody else reads the dead letters: two readers would each see a part of them.
 * @publicApi
 */
export class DeadLettersBusyError extends MississippiError {
  readonly code = 'dead_letters_busy';

  constructor(options?: ErrorOptions) {
    super(
      'The dead letters are being read by another operator: wait until that has ended, or end its process.',
      options,
    );
  }
}

/**
 * The transport keeps no dead letters that could be read.
 * @publicApi
 */
export class DeadLettersUnreadableError extends MississippiError {
  readonly code = 'dead_letters_unreadable';

  constructor() {
    super('The transport of this instance gives no way to read its dead letters: read them where it keeps them.');
  }
}

/** @publicApi */
export class DeadLetterNotFoundError extends MississippiError {
  readonly code = 'dead_letter_not_found';

  constructor(id: string) {
    super(`There is no dead letter with the id ${id}: it was replayed or dropped meanwhile. List them again.`);
  }
}

/**
 * A replay ended before it was through: a message was not taken. Nothing behind it of its key was replayed, and what was not
 * replayed is in the dead letters still.
 * @publicApi
 */
export class ReplayStoppedError extends MississippiError {
  readonly code = 'replay_stopped';

  constructor(
    /** How many were replayed before. */
    readonly replayed: number,
    cause: unknown,
  ) {
    super(
      `The replay ended after ${replayed} messages, because one was not taken; the others are in the dead letters still, so it can be started again: ${describe(cause)}`,
      { cause },
    );
  }
}
