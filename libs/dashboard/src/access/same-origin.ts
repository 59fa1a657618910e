import type { IncomingMessage } from 'node:http';

/**
 * Whether a request comes from a page of the dashboard's own origin, or from no page. A browser says so in `Sec-Fetch-Site`, which no page
 * can forge, behind a proxy that rewrites `Host` too. It says nothing over plain HTTP, but to the own machine; then `Origin`, which
 * comes with each POST, must name the host that was asked.
 */
export function isSameOrigin(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return request.headers.origin === undefined || originIsHost(request);
}

/** Why a request is taken for one from another origin, and what to set where a proxy makes it look so. */
export function foreignOrigin(request: IncomingMessage): string {
  const { origin, host } = request.headers;
  const foreign = 'This comes from a page of another origin';
  if (request.headers['sec-fetch-site'] !== undefined || !URL.canParse(origin ?? '')) return `${foreign}.`;
  return `${foreign}: the browser says ${shortened(origin)}, and the app was asked as ${shortened(host)}. Where the page is the dashboard's own, a proxy in between has rewritten Host: have it pass on the one that it got (nginx: proxy_set_header Host $http_host; Apache: ProxyPreserveHost On), or serve the page over https, where browsers say where a request comes from.`;
}

function originIsHost({ headers: { origin = '', host } }: IncomingMessage): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}

function shortened(text = ''): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
