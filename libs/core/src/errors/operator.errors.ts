import { MississippiError } from './mississippi.error.js';

/**
 * A process takes no actions from other processes: its option `remoteOperator` is `false`.
 * @publicApi
 */
export class RemoteOperatorDisabledError extends MississippiError {
  readonly code = 'remote_operator_disabled';

  /** @param by the shard whose owner it is, or the process */
  constructor(call: string, by: number | string) {
    super(
      `${call} was refused by ${typeof by === 'number' ? `the owner of shard ${by}` : by}, which takes no actions from other processes: its option remoteOperator is false. Call MississippiOperator in that process, or let it take them.`,
    );
  }
}

/**
 * The owner of the shard does not know the request: its process is of an earlier version.
 * @publicApi
 */
export class OperatorNotUnderstoodError extends MississippiError {
  readonly code = 'operator_not_understood';

  constructor(call: string, shard: number, cause: unknown) {
    super(
      `The owner of shard ${shard} does not know ${call}: its process is of an earlier version. Update it, or do it in that process.`,
      { cause },
    );
  }
}

/**
 * The owner of the shard did not answer an operator in time.
 * @publicApi
 */
export class OperatorTimeoutError extends MississippiError {
  readonly code = 'operator_timeout';

  /**
   * @param what the call and what it was about
   * @param timeout in milliseconds
   * @param started whether it had begun. `false`: it never will. `undefined`: nobody said; it may have.
   */
  constructor(
    what: string,
    timeout: number,
    readonly started: boolean | undefined,
  ) {
    super(`${what} had no answer within ${timeout} ms${WHAT_THEN[String(started) as keyof typeof WHAT_THEN]}.`);
  }
}

const WHAT_THEN = {
  true: ': it goes on and may take effect yet, so look at what it is about before it is asked again',
  false: ' and will not be done: a callback of the key runs longer than that, or the broker takes nothing',
  undefined: ', and nobody said whether it had begun: look at what it is about before it is asked again',
};

/**
 * No process of that name takes part.
 * @publicApi
 */
export class UnknownProcessError extends MississippiError {
  readonly code = 'unknown_process';

  constructor(process: string) {
    super(
      `No process called '${process}' takes part: it has ended, or has another name. MississippiOperator.processes() names those that do.`,
    );
  }
}

/**
 * No process was there that coordinates the others: none takes part, the broker takes no messages, or it takes long to follow one that died.
 * @publicApi
 */
export class NoCoordinatorError extends MississippiError {
  readonly code = 'no_coordinator';

  /**
   * @param what the call and what it was about
   * @param timeout in milliseconds
   */
  constructor(what: string, timeout: number) {
    super(
      `${what}: nobody answered who coordinates the others; ${timeout} ms are waited at most, and not at all where no process takes part. It may take effect yet, in all of them or in none: ask again, which is safe, when a process takes part and the broker takes messages.`,
    );
  }
}

/**
 * Nobody was able to tell which processes take part: the broker is away, or whoever coordinates the others does not answer.
 * @publicApi
 */
export class NobodyAnswersError extends MississippiError {
  readonly code = 'nobody_answers';

  /** @param why what is the matter, and what to do about it */
  constructor(why: string, cause?: unknown) {
    super(`Nobody was able to tell who takes part: ${why}.`, cause === undefined ? {} : { cause });
  }
}

/**
 * The transport cannot do what an operator asked.
 * @publicApi
 */
export class OperatorUnsupportedError extends MississippiError {
  readonly code = 'operator_unsupported';

  constructor(call: string) {
    super(`The transport of this instance cannot do ${call}: it has no way to tell other processes.`);
  }
}

/**
 * A message that bypasses the broker is of a type that an operator has paused: it cannot be parked, since its caller waits.
 * @publicApi
 */
export class TypePausedError extends MississippiError {
  readonly code = 'type_paused';

  constructor(
    readonly type: string,
    key: string,
  ) {
    super(
      `The message of the key ${key} is of the type ${JSON.stringify(type)}, which is paused: resume the type (MississippiOperator.resumeType), or publish the message with EventsProducer.`,
    );
  }
}
