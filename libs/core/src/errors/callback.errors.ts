import { describe } from './describe.js';
import { MississippiError } from './mississippi.error.js';

/**
 * `init` failed; `cause` says why.
 * @publicApi
 */
export class DataUpdaterStartError extends MississippiError {
  readonly code = 'data_updater_start';

  constructor(key: string, cause: unknown) {
    super(`The data updater of the key ${key} could not start, because init failed: ${describe(cause)}`, { cause });
  }
}

/**
 * A callback ran longer than `handlerTimeout` and one second of grace, and was abandoned.
 * @publicApi
 */
export class HandlerTimeoutError extends MississippiError {
  readonly code = 'handler_timeout';

  constructor(callback: string, key: string, timeout: number) {
    super(
      `${callback} of the key ${key} did not end within ${timeout} ms and was abandoned: make it end on context.abortSignal, or raise handlerTimeout.`,
    );
  }
}

/** @publicApi */
export class InvalidOutcomeError extends MississippiError {
  readonly code = 'invalid_outcome';

  constructor(callback: string, value: unknown, expected: string) {
    super(`${callback} returned ${describe(value)}, which is no outcome: return ${expected}.`);
  }
}

/**
 * A signal had no answer in time.
 * @publicApi
 */
export class SignalTimeoutError extends MississippiError {
  readonly code = 'signal_timeout';

  /**
   * @param timeout in milliseconds
   * @param started whether `handleSignal` had begun. `false`: it never will. `undefined`: nobody said, because the broker or the
   * process that owns the key did not answer; it may have.
   */
  constructor(
    key: string,
    timeout: number,
    readonly started: boolean | undefined,
  ) {
    super(timedOut(key, timeout, started));
  }
}

function timedOut(key: string, timeout: number, started: boolean | undefined): string {
  switch (started) {
    case true:
      return `handleSignal of the key ${key} did not answer within ${timeout} ms; it still runs and may take effect.`;
    case false:
      return `The signal to the key ${key} did not get its turn within ${timeout} ms and will not run: a callback of the key runs longer than that, the store does not answer, or the broker takes nothing.`;
    default:
      return `The signal to the key ${key} had no answer within ${timeout} ms, and neither the broker nor the key's process said whether it started: ask for the state, then decide.`;
  }
}

/** @publicApi */
export class SignalNotHandledError extends MississippiError {
  readonly code = 'signal_not_handled';

  /**
   * @param name of the signal, where it has one
   * @param known the names that the handler has methods for
   */
  constructor(className: string, name?: string, known: readonly string[] = [], whole?: string) {
    super(
      whole ??
        (name === undefined && known.length === 0
          ? `${className} has no handleSignal: add the method to the handler, or do not send it signals.`
          : `${className} has no method for signals ${name === undefined ? 'without a name' : `of the name '${name}'`} (it has: ${known.join(', ') || 'none'}): ` +
            `add one with ${name === undefined ? '@OnSignal()' : `@OnSignal('${name}')`}, or correct the name.`),
    );
  }

  /** @internal */
  static method(className: string, method: string): SignalNotHandledError {
    return new SignalNotHandledError(
      `${className}.${method}`,
      undefined,
      [],
      `${className}.${method} is for no signal: decorate it with @OnSignal().`,
    );
  }
}

/**
 * Every attempt at a message failed, and there is no further one; `cause` is the last error.
 * @publicApi
 */
export class AttemptsExhaustedError extends MississippiError {
  readonly code = 'attempts_exhausted';

  constructor(
    key: string,
    readonly attempts: number,
    cause: unknown,
  ) {
    super(
      `The message of the key ${key} failed at ${attempts === 1 ? 'its only attempt, with' : `each of ${attempts} attempts, the last time with`}: ${describe(cause)}`,
      {
        cause,
      },
    );
  }
}

/**
 * How far a message came: it waits for its first attempt, an attempt runs, or one failed and the next is waited for.
 * @publicApi
 */
export type MessageStage = 'queued' | 'running' | 'retried';

const WHAT_BECAME: Record<MessageStage, string> = {
  queued: 'was not started and will not be: raise the timeout, or publish it with EventsProducer if it must be handled',
  running: 'still runs and may take effect; if that fails, it is not tried again',
  retried: 'failed and is not tried again: look at the lastError of the key in liveKeys(), or at the log',
};

/**
 * A direct message was not handled within its time-out.
 * @publicApi
 */
export class MessageTimeoutError extends MississippiError {
  readonly code = 'message_timeout';

  constructor(
    key: string,
    timeout: number,
    readonly stage: MessageStage,
  ) {
    super(`The message of the key ${key} was not handled within ${timeout} ms: it ${WHAT_BECAME[stage]}.`);
  }
}

/**
 * When the time of a signal was over nobody owned the shard of its key, and nobody had said that it started.
 * @publicApi
 */
export class NoOwnerError extends MississippiError {
  readonly code = 'no_owner';

  constructor(key: string, shard: number, timeout: number) {
    super(
      `The signal to the key ${key} reached nobody within ${timeout} ms, because no process owns shard ${shard}: start one that handles messages, or send it again.`,
    );
  }
}

/**
 * The process that had accepted a signal ended before it answered: it may have taken effect or not.
 * @publicApi
 */
export class SignalOutcomeUnknownError extends MississippiError {
  readonly code = 'signal_outcome_unknown';

  constructor(key: string) {
    super(
      `The process that handled the signal to the key ${key} ended before it answered, so whether it took effect is unknown: ask for the state, then decide.`,
    );
  }
}

/**
 * What a handler threw, as the caller of its signal sees it: name, message and code, since classes do not travel. It is the
 * same where the handler runs in this process; there the `cause` is the error itself, for logs.
 * @publicApi
 */
export class RemoteSignalError extends MississippiError {
  readonly code: string;

  constructor(
    readonly remoteName: string,
    message: string,
    code: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = remoteName;
    this.code = code ?? 'remote_signal';
  }
}
