import { Injectable } from '@nestjs/common';
import { RefusedError } from './refused.error.js';
import { retryAfter } from './retry-after.js';

/** How long a receiver may take to answer, in milliseconds. */
const PATIENCE = 10_000;

/** What a receiver gets, as JSON. */
export interface Webhook {
  /** The same at each attempt: by it a receiver knows what it has taken already. */
  id: string;
  type: string;
  data: unknown;
}

/** Sends webhooks over HTTP. */
@Injectable()
export class WebhookClient {
  /**
   * Resolves when the receiver has taken it.
   * @throws {RefusedError} when the receiver answers that it has not; what `fetch` throws when it does not answer
   */
  async send(url: string, webhook: Webhook, abortSignal: AbortSignal): Promise<void> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'webhook-id': webhook.id },
      body: JSON.stringify(webhook),
      redirect: 'manual',
      signal: AbortSignal.any([abortSignal, AbortSignal.timeout(PATIENCE)]),
    });
    await response.body?.cancel();
    if (!response.ok) {
      throw new RefusedError(response.status, retryAfter(response.headers.get('retry-after'), Date.now()));
    }
  }
}
