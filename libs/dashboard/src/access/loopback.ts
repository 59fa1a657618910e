import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';

/** What proxies say of whom they speak for: RFC 7239, and what was there before it. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Whether a request comes from this machine, and from no proxy that says that it asks for somebody else. `Host` is not looked at:
 * whoever asks chooses it, and a proxy may rewrite it.
 */
export function isLocal({ socket, headers }: IncomingMessage): boolean {
  return isLoopback(socket.remoteAddress ?? '') && FORWARDED.every((name) => headers[name] === undefined);
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}
