import {
  CommitRefusedError,
  MississippiError,
  StoreAccessError,
  StoreBusyError,
  StoreUnavailableError,
} from '@mississippi/core';
import { reasonOf } from './reason.js';
import { meaningOf, SQL_STATE, sqlStateOf } from './sql-states.js';

/** What a question that failed means to the core, once the store is connected. */
export function asStoreError(error: unknown): MississippiError {
  if (error instanceof MississippiError) return error;
  const reason = reasonOf(error);
  const options = { cause: error };
  switch (meaningOf(error)) {
    case 'lost':
      return new StoreUnavailableError(
        `PostgreSQL cannot be asked at present (${reason}).${behindBouncer(error)}`,
        options,
      );
    case 'passing':
      return new StoreBusyError(`PostgreSQL could not do it at present (${reason}).`, options);
    // No message is to blame, and nothing may be given up for it: somebody changed rights or tables.
    case 'access':
      return new StoreUnavailableError(`PostgreSQL refuses what it took before (${reason}).`, options);
    case 'content':
      return new CommitRefusedError('content', `PostgreSQL refused the commit (${reason}).`, options);
  }
}

/** The same of an attempt to connect, where what waiting does not mend is said so. */
export function asConnectError(error: unknown, hint: () => string): MississippiError {
  if (error instanceof MississippiError) return error;
  const reason = reasonOf(error);
  const refusal = refusalOf(error);
  if (refusal === undefined) {
    const message = `PostgreSQL cannot be reached (${reason}): start it, or correct where it is.`;
    return new StoreUnavailableError(message, { cause: error });
  }
  const messages: Record<typeof refusal, () => string> = {
    authentication: () => `PostgreSQL refuses the login (${reason}): correct the user or the password.`,
    database: () => `PostgreSQL has no such database (${reason}): create it, or correct its name.`,
    permission: () => `The role lacks a right (${reason}): ${hint()}`,
    configuration: () =>
      `The tables cannot be made or used (${reason}): somebody has changed them, or the schema is another's.`,
  };
  return new StoreAccessError(refusal, messages[refusal](), { cause: error });
}

function refusalOf(error: unknown): 'authentication' | 'database' | 'permission' | 'configuration' | undefined {
  const state = sqlStateOf(error) ?? '';
  if (state.startsWith('28') || isPasswordMissing(error)) return 'authentication';
  if (state === '3D000') return 'database';
  if (state === SQL_STATE.insufficientPrivilege) return 'permission';
  return ['access', 'content'].includes(meaningOf(error)) ? 'configuration' : undefined;
}

function behindBouncer(error: unknown): string {
  const isMissing = ['26000', '42P05'].includes(sqlStateOf(error) ?? '');
  return isMissing ? ' Behind PgBouncer in transaction mode, postgres() needs prepare: false.' : '';
}

/** pg itself finds that the server wants a password and there is none, or that there can be no TLS. */
function isPasswordMissing(error: unknown): boolean {
  return error instanceof Error && /client password must be a (non-empty )?string/.test(error.message);
}
