import { userInfo } from 'node:os';
import { UsageError } from '../errors.js';

/**
 * Who is logged in, for the audit trail.
 * @throws {UsageError} where the system has no name for him, as in a container that runs with any number for a user id
 */
export function userHere(lookUp: () => { readonly username: string } = userInfo): string {
  try {
    return lookUp().username;
  } catch (error) {
    throw new UsageError('The system has no name for the user here: say who does this, for the audit trail, by --by.', {
      cause: error,
    });
  }
}
