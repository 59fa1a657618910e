import { MississippiError } from '@mississippi/core';
import { reasonOf } from './reason.js';

/**
 * The broker cannot be used as it is set up; what to change is in the message.
 * @publicApi
 */
export class RabbitMqSetupError extends MississippiError {
  readonly code = 'rabbitmq_setup';
}

/**
 * No broker answered when the app started: each url was tried once.
 * @publicApi
 */
export class RabbitMqUnreachableError extends MississippiError {
  readonly code = 'rabbitmq_unreachable';

  constructor(names: readonly string[], cause: unknown) {
    super(
      `No RabbitMQ could be reached at ${names.join(', ')} (${reasonOf(cause)}): start it, or correct the urls given to rabbitmq().`,
      { cause },
    );
  }
}
