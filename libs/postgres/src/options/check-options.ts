import { InvalidOptionsError } from '@mississippi/core';
import { validateOptions } from '@mississippi/core/transport';
import type { Type } from '@nestjs/common';

/** Options whose values no error may show. */
const SECRET = /\.(connectionString|pool|pglite|ssl)$/;

/**
 * Checks what a user gave, without repeating a secret.
 * @throws {InvalidOptionsError}
 */
export function checkOptions<T extends object>(path: string, type: Type<T>, options: unknown): T {
  try {
    return validateOptions(path, type, options);
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
