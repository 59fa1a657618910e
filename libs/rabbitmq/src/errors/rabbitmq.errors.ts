import { MississippiError } from '@mississippi/core';

/**
 * The broker cannot be used as it is set up; what to change is in the message.
 * @publicApi
 */
export class RabbitMqSetupError extends MississippiError {
  readonly code = 'rabbitmq_setup';
}

/** A shard's queue that several processes may consume at once. To users it is a {@link RabbitMqSetupError}. */
export class SharedQueueError extends RabbitMqSetupError {
  constructor(message: string) {
    super(message);
    this.name = 'RabbitMqSetupError';
  }
}

/**
 * The user lacks a right on a queue or an exchange; what to grant is in the message.
 * @publicApi
 */
export class RabbitMqAccessError extends MississippiError {
  readonly code = 'rabbitmq_access';

  /** @internal */
  constructor(
    readonly right: 'configure' | 'read' | 'write',
    /** What it was wanted on, such as `queue 'mississippi_0'`. */
    readonly resource: string,
    message: string,
    cause: unknown,
  ) {
    super(message, { cause });
  }
}

/**
 * No broker answered when the app started: each url was tried, as long as `startTimeout` says.
 * @publicApi
 */
export class RabbitMqUnreachableError extends MississippiError {
  readonly code = 'rabbitmq_unreachable';

  constructor(brokers: readonly { readonly name: string; readonly reason: string }[], cause: unknown) {
    const list = brokers.map(({ name, reason }) => `at ${name} (${reason})`).join(', ');
    super(`No RabbitMQ could be reached ${list}: start it, or correct the urls given to rabbitmq().`, { cause });
  }
}
