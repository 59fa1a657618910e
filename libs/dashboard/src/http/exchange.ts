import type { IncomingMessage, ServerResponse } from 'node:http';

/** One request and its response, as Node has them, whichever framework serves. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the framework's parser has made of the body; `undefined` where none has read it. */
  readonly body: unknown;
  readonly url: URL;
}

/** Express hands over Node's own; Fastify wraps them, and lets go of a response that is hijacked. */
interface FastifyLike {
  readonly raw?: IncomingMessage | ServerResponse;
  hijack?(): void;
}

export function exchangeOf(request: unknown, response: unknown): Exchange {
  const [given, reply] = [request as FastifyLike & { body?: unknown }, response as FastifyLike];
  reply.hijack?.();
  const raw = (given.raw ?? given) as IncomingMessage;
  return {
    request: raw,
    response: (reply.raw ?? reply) as ServerResponse,
    body: given.body,
    url: new URL(raw.url ?? '/', 'http://dashboard'),
  };
}
