import { encodeShardingKey, inspectKey } from '@mississippi/core';
import type { UnfinishedWork } from '@mississippi/core/testing';
import { describe } from '@mississippi/core/transport';

/**
 * Something that is not finished, and of which instance.
 * @publicApi
 */
export interface Unfinished extends Omit<UnfinishedWork, 'kind' | 'shard'> {
  readonly instance: string;
  /** As that of `UnfinishedWork`; also `publish`: a publish is not confirmed, `store`: a call of the store is not answered. */
  readonly kind: UnfinishedWork['kind'] | 'publish' | 'store';
}

/**
 * Something is left to do, and nothing will do it: the text names it, with its keys and callbacks.
 * @publicApi
 */
export class NotSettledError extends Error {
  override readonly name = 'NotSettledError';

  constructor(
    /** What is left. */
    readonly unfinished: readonly Unfinished[],
    why: string,
    advice: string,
  ) {
    super(`${why}:\n${unfinished.map((work) => `  ${inWords(work)}`).join('\n')}\n${advice}`);
  }
}

function inWords({ instance, kind, key, count, callback, messageId, attempt = 0, error }: Unfinished): string {
  const where = `${key === undefined ? '' : ` of the key ${inspectKey(encodeShardingKey(key))}`}${instance === 'default' ? '' : ` (instance ${instance})`}`;
  const message = messageId === undefined ? '' : `, message ${messageId}`;
  const failed = error === undefined ? '' : `, after: ${describe(error)}`;
  const many = (one: string, more: string): string => (count === 1 ? `1 ${one}` : `${count} ${more}`);
  switch (kind) {
    case 'callback':
      return `${callback ?? 'a callback'}${where} has not ended${message}${attempt > 0 ? `, attempt ${attempt}` : ''}`;
    case 'backoff':
      return `${many('message', 'messages')}${where} waits for attempt ${attempt + 1}${message}${failed}`;
    case 'signal':
      return `${many('signal', 'signals')}${where} not begun`;
    case 'settling':
      return `${many('message', 'messages')}${where} waits for the confirm of its dead letter or of its move${message}`;
    case 'commit':
      return `what a callback${where} changed is not committed`;
    case 'outbox':
      return `${many('message', 'messages')} committed and not published${where}`;
    case 'pressure':
      return `${many('message', 'messages')}${where} parked under pressure`;
    case 'publish':
      return `${many('publish', 'publishes')}${where} not confirmed`;
    case 'store':
      return `${many('call', 'calls')} of the store${where} not answered`;
    default:
      return `${many('message', 'messages')}${where} not handled${message}`;
  }
}
