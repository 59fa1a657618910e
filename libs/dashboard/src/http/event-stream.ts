import type { ServerResponse } from 'node:http';

/**
 * Server-sent events to one viewer. What it is sent while it does not read is not kept: of each kind of event the newest goes
 * when it reads again, so that a slow viewer costs one event of each kind and not a queue.
 */
export class EventStream {
  private readonly unsent = new Map<string, string>();
  private full = false;

  constructor(private readonly response: ServerResponse) {
    response.statusCode = 200;
    response.setHeader('content-type', 'text/event-stream; charset=utf-8');
    // For middleware that would compress, and keep what goes until there is more of it.
    response.setHeader('cache-control', 'no-store, no-transform');
    // For proxies that would collect what is to go at once.
    response.setHeader('x-accel-buffering', 'no');
    response.flushHeaders();
    response.on('drain', () => this.drained());
  }

  get ended(): boolean {
    return this.response.writableEnded || this.response.destroyed;
  }

  onClose(closed: () => void): void {
    if (this.response.destroyed) closed();
    else this.response.once('close', closed);
  }

  send(event: string, data: unknown): void {
    this.sendText(event, JSON.stringify(data));
  }

  /** @param data JSON, made once for all viewers */
  sendText(event: string, data: string): void {
    if (this.ended) return;
    if (this.full) this.unsent.set(event, data);
    else this.write(event, data);
  }

  end(): void {
    if (!this.ended) this.response.end();
  }

  private write(event: string, data: string): void {
    this.full = !this.response.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  private drained(): void {
    this.full = false;
    for (const [event, data] of this.unsent) {
      if (this.full) return;
      this.unsent.delete(event);
      this.write(event, data);
    }
  }
}
