import type { AbstractHttpAdapter } from '@nestjs/core';
import { exchangeOf } from './exchange.js';
import { setHeaders } from './respond.js';

/** Fastify's code for a path that it has already, such as where `ignoreTrailingSlash` is on. */
const KNOWN = 'FST_ERR_DUPLICATED_ROUTE';

/**
 * Leads from the page's path with a slash at its end to the page, where the framework takes that for another path. Nest takes
 * such a slash away from the paths of controllers. It shows nothing, so that no guard is asked.
 * @param path of the page, from the root on
 */
export function openWithSlash(adapter: AbstractHttpAdapter, path: string): void {
  const lead = (request: unknown, reply: unknown): void => {
    const { response, url } = exchangeOf(request, reply);
    setHeaders(response);
    response.statusCode = 302;
    // Relative, so that it holds behind a proxy that puts the app elsewhere.
    response.setHeader('location', `../${path.split('/').at(-1)!}${url.search}`);
    response.end();
  };
  try {
    adapter.get(`${path}/`, lead);
  } catch (error) {
    if ((error as { code?: unknown }).code !== KNOWN) throw error;
  }
}
