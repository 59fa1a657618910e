import { MississippiError } from '@mississippi/core';

/** The broker cannot be used as it is set up; what to change is in the message. */
export class RabbitMqSetupError extends MississippiError {
  readonly code = 'rabbitmq_setup';
}

/** No broker could be reached within the time of the first connect. */
export class RabbitMqUnreachableError extends MississippiError {
  readonly code = 'rabbitmq_unreachable';

  constructor(names: readonly string[], cause: unknown) {
    super(
      `No RabbitMQ could be reached at ${names.join(', ')} (${reasonOf(cause)}): start it, or correct the urls given to rabbitmq().`,
      { cause },
    );
  }
}

/** What an error of the client or the socket says, in one line, without credentials. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code: unknown = Reflect.get(error, 'code');
  const short = typeof code === 'string' ? code : error.name;
  const inner = error instanceof AggregateError && error.errors.length > 0 ? reasonOf(error.errors[0]) : undefined;
  return withoutCredentials(inner ?? (error.message || short));
}

/** Urls in texts of others may carry a password. */
export function withoutCredentials(text: string): string {
  return text.replace(/(amqps?:\/\/)[^@/\s]*@/g, '$1');
}
