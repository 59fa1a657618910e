import { ack, type DataUpdaterHandler, discard, MessageHandler, type MessageContext } from '@mississippi/core';
import { Endpoints } from './endpoints.js';
import { RefusedError } from './refused.error.js';
import { WebhookClient } from './webhook.client.js';

/**
 * Sends webhooks. The sharding key is the tenant: each tenant gets its own in order, and what one tenant's receiver refuses holds
 * up that tenant alone. A receiver that says when to come back is asked again then; one that says nothing, after a backoff.
 * What it will never take goes to the dead letters. After 20 attempts the tenant is parked until somebody resumes it.
 */
@MessageHandler({
  keys: 'string',
  failurePolicy: {
    attempts: 20,
    backoff: ({ error }) => (error instanceof RefusedError ? error.retryAfter : undefined),
    onError: (error) => (error instanceof RefusedError && error.isFinal ? 'discard' : undefined),
    onExhausted: 'park',
  },
})
export class WebhookHandler implements DataUpdaterHandler {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly client: WebhookClient,
  ) {}

  async handleMessage(data: unknown, _state: unknown, { key, type, messageId, abortSignal }: MessageContext) {
    const url = this.endpoints.urlOf(key);
    if (url === undefined) return ack();
    if (type === undefined || messageId === undefined) return discard('a webhook needs a type and an id');
    await this.client.send(url, { id: messageId, type, data }, abortSignal);
    return ack();
  }
}
