import { isNativeError } from 'node:util/types';

/** Why the broker closes a channel or a connection (AMQP 0-9-1 specification, 1.2). */
export const CONNECTION_FORCED = 320;
export const ACCESS_REFUSED = 403;
export const NOT_FOUND = 404;
export const RESOURCE_LOCKED = 405;
export const PRECONDITION_FAILED = 406;
export const NOT_ALLOWED = 530;

/** The reply code that an error carries; system errors carry a text there, others nothing. */
export function codeOf(error: unknown): unknown {
  return isNativeError(error) ? Reflect.get(error, 'code') : undefined;
}

/** Whether a queue has an exclusive consumer already, or others beside which there can be none. Want of a right has the same code. */
export function isInUse(error: unknown): boolean {
  return codeOf(error) === ACCESS_REFUSED && / in exclusive use/.test((error as Error).message);
}
