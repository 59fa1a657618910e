import { InvalidOptionsError } from '@mississippi/core';
import { validateOptions } from '@mississippi/core/transport';
import { parseBrokerUrl, UrlProblem } from './broker-url.js';
import { RabbitMqOptions } from './rabbitmq.options.js';

/** Options whose values no error may show. */
const SECRET = /^rabbitmq\.(urls|username|password|tls\b.*)$/;

/**
 * Checks what a user gave, without repeating a secret.
 * @throws {InvalidOptionsError}
 */
export function checkOptions(options: unknown): RabbitMqOptions {
  try {
    const checked = validateOptions('rabbitmq', RabbitMqOptions, options);
    checkUrlParameters(checked);
    return checked;
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

/** What is wrong there is said by name. */
function checkUrlParameters({ urls = [] }: RabbitMqOptions): void {
  try {
    urls.forEach(parseBrokerUrl);
  } catch (error) {
    if (!(error instanceof UrlProblem)) throw error;
    throw new InvalidOptionsError([{ path: 'rabbitmq.urls', expected: error.message }]);
  }
}
