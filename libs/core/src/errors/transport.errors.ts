import { MississippiError } from './mississippi.error.js';

/**
 * A message was not taken. `reason` tells programs why.
 * @publicApi
 */
export class PublishError extends MississippiError {
  readonly code = 'publish_failed';

  constructor(
    readonly reason: 'returned' | 'nacked' | 'too_large' | 'refused' | 'closed',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** @publicApi */
export class PublishTimeoutError extends MississippiError {
  readonly code = 'publish_timeout';

  constructor(
    timeout: number,
    readonly sent: boolean,
  ) {
    super(
      sent
        ? `The message was not confirmed within ${timeout} ms: whether it was taken is unknown, so a repeated publish may double it (keep its messageId).`
        : `The message was not taken within ${timeout} ms and was not sent: the transport is full, blocked or disconnected. Publish more slowly, or raise the timeout.`,
    );
  }
}

/**
 * The epoch of a shard has ended: what belonged to it cannot be settled any more.
 * @publicApi
 */
export class SessionEndedError extends MississippiError {
  readonly code = 'session_ended';

  constructor(shard: number, cause?: unknown) {
    super(`Shard ${shard} is no longer owned; its messages come back to the next owner.`, { cause });
  }
}

/** @publicApi */
export class ShuttingDownError extends MississippiError {
  readonly code = 'shutting_down';

  constructor(what: string) {
    super(
      `${what} was not accepted, because the app is shutting down: send it to another process, or again after the restart.`,
    );
  }
}

/** @publicApi */
export class NotStartedError extends MississippiError {
  readonly code = 'not_started';

  constructor(what: string) {
    super(
      `${what} was called before the app had started: call it after app.init() or app.listen(), not from a constructor or onModuleInit.`,
    );
  }
}
