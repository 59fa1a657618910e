import { MississippiError } from '@mississippi/core';

/**
 * The broker cannot be used as it is set up; what to change is in the message.
 * @publicApi
 */
export class RabbitMqSetupError extends MississippiError {
  readonly code = 'rabbitmq_setup';
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
