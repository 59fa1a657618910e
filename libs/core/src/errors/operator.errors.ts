import { MississippiError } from './mississippi.error.js';

/**
 * The key's owner takes no actions from other processes: its option `remoteOperator` is `false`.
 * @publicApi
 */
export class RemoteOperatorDisabledError extends MississippiError {
  readonly code = 'remote_operator_disabled';

  constructor(call: string, shard: number) {
    super(
      `${call} was refused by the owner of shard ${shard}, which takes no actions from other processes: its option remoteOperator is false. Call MississippiOperator in that process, or let it take them.`,
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
  true: ': it goes on and may take effect yet, so look at the key before it is asked again',
  false: ' and will not be done: a callback of the key runs longer than that, or the broker takes nothing',
  undefined: ', and nobody said whether it had begun: look at the key before it is asked again',
};
