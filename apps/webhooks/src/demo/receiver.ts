import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Webhook } from '../webhook.client.js';

/** What a receiver does with a webhook: takes it, or refuses it, with `Retry-After` where it says when to come back. */
export type Answer = { status: 200 } | { status: number; retryAfterSeconds?: number };

/** A request as the receivers saw it. */
export interface Received {
  tenant: string;
  id: string;
  answer: Answer;
  /** When it was answered: milliseconds on this process's own clock. */
  at: number;
}

/** The receivers of all tenants, in one HTTP server on this machine: `<url>/<tenant>`. */
export class Receivers extends EventEmitter<{ received: [Received] }> {
  readonly log: Received[] = [];
  private readonly server = createServer((request, response) => void this.receive(request, response));

  /** @param decide what becomes of a request, which is not in the log yet */
  constructor(private readonly decide: (tenant: string, log: readonly Received[]) => Answer) {
    super();
  }

  /** Resolves with the url. */
  async listen(): Promise<string> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const tenant = request.url!.slice(1);
    const { id } = (await json(request)) as Webhook;
    const answer = this.decide(tenant, this.log);
    const received: Received = { tenant, id, answer, at: performance.now() };
    this.log.push(received);
    const wait = 'retryAfterSeconds' in answer ? { 'retry-after': String(answer.retryAfterSeconds) } : {};
    response.writeHead(answer.status, wait).end();
    this.emit('received', received);
  }
}
