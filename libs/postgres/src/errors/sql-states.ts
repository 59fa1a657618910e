import { isNativeError } from 'node:util/types';

/** SQLSTATEs that the store asks for by name (PostgreSQL's manual, appendix A). */
export const SQL_STATE = {
  syntaxError: '42601',
  undefinedTable: '42P01',
  undefinedSchema: '3F000',
  insufficientPrivilege: '42501',
  failedTransaction: '25P02',
  readOnly: '25006',
  idleInTransaction: '25P03',
  lockNotAvailable: '55P03',
} as const;

/** The SQLSTATE of an error that the server sent; `undefined` where it sent none. Errors of sockets have other codes. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!isNativeError(error)) return undefined;
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && severity !== undefined ? code : undefined;
}

/** What an error means to whoever asked. */
export type Meaning = 'lost' | 'passing' | 'access' | 'content';

/** Which errors mean what: the longest beginning of a SQLSTATE decides. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  '08': 'lost', // connection exceptions
  '57P': 'lost', // the server is shutting down or starting
  '25006': 'lost', // a standby, which takes no writes
  '25P03': 'lost', // idle for too long in a transaction
  '25P04': 'lost',
  '40': 'passing', // serialization failures and deadlocks
  '40002': 'content', // but for constraints
  '53': 'passing', // out of memory, of disk, of connections
  '55': 'passing', // a lock was not to be had
  '57014': 'passing', // cancelled, a statement's time-out among others
  '58': 'passing', // input and output of the server
  XX: 'passing',
  '0A000': 'passing', // "cached plan must not change result type", after an upgrade of the tables
  // A prepared statement is not there, or is there already: a handler has dropped it, or a PgBouncer hands sessions about. The next
  // connection prepares its own.
  '26000': 'lost',
  '42P05': 'lost',
  '08P01': 'access',
  '28': 'access', // wrong name or password
  '3D000': 'access',
  '3F000': 'access',
  '42501': 'access',
  '42P01': 'access',
  '42703': 'access',
  '42883': 'access',
};

export function meaningOf(error: unknown): Meaning {
  const state = sqlStateOf(error);
  if (state === undefined) return 'lost';
  for (let length = 5; length >= 2; length--) {
    const meaning = MEANINGS[state.slice(0, length)];
    if (meaning !== undefined) return meaning;
  }
  return 'content';
}
