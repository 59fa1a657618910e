import type { IncomingMessage, ServerResponse } from 'node:http';
import { isHttps } from './is-https.js';
import { isSame, newSecret } from './secrets.js';

const COOKIE = 'mississippi_csrf';
export const CSRF_HEADER = 'x-mississippi-csrf';
const SECRET = /^[\w-]{43}$/;

/**
 * The token that an action needs, for the page: only a page of the same origin can read it and send it in a header. It is in a cookie too, so that whichever process of
 * the app gets the action can compare the two and needs no memory.
 */
export function csrfTokenFor(request: IncomingMessage, response: ServerResponse): string {
  const token = cookieOf(request) ?? newSecret();
  const secure = isHttps(request) ? '; Secure' : '';
  response.setHeader('set-cookie', `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict${secure}`);
  return token;
}

export function hasCsrfToken(request: IncomingMessage): boolean {
  const cookie = cookieOf(request);
  return cookie !== undefined && isSame(request.headers[CSRF_HEADER], cookie);
}

function cookieOf({ headers }: IncomingMessage): string | undefined {
  for (const pair of headers.cookie?.split(';') ?? []) {
    const [name, value = ''] = pair.trim().split('=');
    if (name === COOKIE && SECRET.test(value)) return value;
  }
  return undefined;
}
