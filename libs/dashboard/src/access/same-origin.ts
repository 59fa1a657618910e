import type { IncomingMessage } from 'node:http';

/**
 * Whether a request comes from a page of the dashboard's own origin, or from no page. A browser says so in `Sec-Fetch-Site`, which no page
 * can forge, behind a proxy that rewrites `Host` too. It says nothing over plain HTTP, but to the own machine; then `Origin`, which
 * comes with each POST, must name the host that was asked.
 */
export function isSameOrigin({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin, host } = headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
