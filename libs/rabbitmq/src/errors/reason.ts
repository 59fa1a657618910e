import { isNativeError } from 'node:util/types';

/** What an error of the client or the socket says, in one line, without credentials. */
export function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const code: unknown = Reflect.get(error, 'code');
  const short = typeof code === 'string' ? code : error.name;
  const inner = error instanceof AggregateError && error.errors.length > 0 ? reasonOf(error.errors[0]) : undefined;
  return withoutCredentials(inner ?? (error.message || short));
}

/** Urls in texts of others may carry a password. */
export function withoutCredentials(text: string): string {
  return text.replace(/(amqps?:\/\/)[^@\s]*@/g, '$1');
}
