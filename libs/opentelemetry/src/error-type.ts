import { ERROR_TYPE_OTHER } from './semantic-conventions.js';

/** The class of an error. Its name may be anything, its class is one of a few. */
export function typeOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return ERROR_TYPE_OTHER;
    const { name } = error.constructor;
    return name === '' ? ERROR_TYPE_OTHER : name;
  } catch {
    return ERROR_TYPE_OTHER; // A getter of it threw.
  }
}
