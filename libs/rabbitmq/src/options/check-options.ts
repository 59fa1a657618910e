import { InvalidOptionsError } from '@mississippi/core';
import { validateOptions } from '@mississippi/core/transport';
import { RabbitMqOptions } from './rabbitmq.options.js';

/** Options whose values no error may show. */
const SECRET = /^rabbitmq\.(urls|username|password|tls\b.*)$/;

/**
 * Checks what a user gave, without repeating a secret.
 * @throws {InvalidOptionsError}
 */
export function checkOptions(options: unknown): RabbitMqOptions {
  try {
    return validateOptions('rabbitmq', RabbitMqOptions, options);
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    throw new InvalidOptionsError(
      error.problems.map(({ path, expected }) => ({
        path,
        expected: SECRET.test(path) ? expected.replace(/, not [^]*$/, '') : expected,
      })),
    );
  }
}
