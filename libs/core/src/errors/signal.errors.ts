import { describe } from './describe.js';
import { MississippiError } from './mississippi.error.js';

/**
 * A signal or its answer cannot be carried to the other side. Of a signal, nothing was sent. Of an answer, the handler has
 * done its work: the new state stands, and the data updater lives on.
 * @publicApi
 */
export class SignalEncodeError extends MississippiError {
  readonly code = 'signal_unencodable';

  /** @param path where the value is that cannot be carried, such as `answer.items[3].at`; `undefined` where a codec threw */
  constructor(
    what: 'signal' | 'answer',
    cause: unknown,
    readonly path?: string,
  ) {
    super(`The ${what} ${lost(what)}: ${describe(cause)}`, path === undefined ? { cause } : undefined);
  }

  /** @internal */
  static notJson(what: 'signal' | 'answer', path: string, found: string): SignalEncodeError {
    const reason = `${what}${path} is ${found}, which JSON does not give back alike. Use strings, finite numbers, booleans, null, lists and plain objects of them, or set the option signals to a codec that carries more.`;
    return new SignalEncodeError(what, reason, `${what}${path}`);
  }
}

/**
 * The bytes of a signal or of an answer cannot be read: the processes have different codecs, or the codec does not read
 * what it writes. A signal did not reach the handler; of an answer, the handler has done its work.
 * @publicApi
 */
export class SignalDecodeError extends MississippiError {
  readonly code = 'signal_undecodable';

  constructor(what: 'signal' | 'answer', cause: unknown) {
    super(`The ${what} cannot be decoded: ${describe(cause)}. Every process of the app needs the same codec.`, {
      cause,
    });
  }
}

/**
 * A signal or its answer is too large to be carried. Of a signal, nothing was sent. Of an answer, the handler has done its
 * work: the new state stands, and the data updater lives on.
 * @publicApi
 */
export class SignalTooLargeError extends MississippiError {
  readonly code = 'signal_too_large';

  /**
   * @param size encoded, in bytes
   * @param limit the largest one that is carried, in bytes
   */
  constructor(
    what: 'signal' | 'answer',
    readonly size: number,
    readonly limit: number,
  ) {
    super(
      `The ${what} ${lost(what)}: it has ${size} bytes, and at most ${limit} are taken. Ask for less at a time, or put the data where both sides can read it.`,
    );
  }
}

function lost(what: 'signal' | 'answer'): string {
  return what === 'signal' ? 'cannot be carried, so nothing was sent' : 'cannot be carried to its caller';
}
