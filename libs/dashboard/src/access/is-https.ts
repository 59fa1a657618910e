import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/**
 * Whether the browser came over https, to the app or to a proxy that says so: the first one that a header names is the browser's.
 * Whoever makes that up has only his own cookie refused by his own browser.
 */
export function isHttps({ socket, headers }: IncomingMessage): boolean {
  if (socket instanceof TLSSocket) return true;
  const [proto = ''] = String(headers['x-forwarded-proto'] ?? '').split(',');
  const [hop = ''] = (headers.forwarded ?? '').split(',');
  return /^\s*https\s*$/i.test(proto) || /(^|;)\s*proto="?https"?\s*(;|$)/i.test(hop);
}
