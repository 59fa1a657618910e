import { isNativeError } from 'node:util/types';
import { sqlStateOf } from './sql-states.js';

/** What an error of the client, the socket or the server says, in one line, without credentials. */
export function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const inner = error instanceof AggregateError && error.errors.length > 0 ? reasonOf(error.errors[0]) : undefined;
  const code: unknown = Reflect.get(error, 'code');
  const message = error.message || (typeof code === 'string' ? code : error.name);
  const state = sqlStateOf(error);
  return withoutCredentials(inner ?? (state === undefined ? message : `${message}, SQLSTATE ${state}`));
}

/** Urls in texts of others may carry a password. */
function withoutCredentials(text: string): string {
  return text.replace(/(postgres(?:ql)?:\/\/)[^@\s]*@/g, '$1').replace(/\s*[\r\n]\s*/g, ' ');
}
