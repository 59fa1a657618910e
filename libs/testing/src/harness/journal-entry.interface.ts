import type { MessageHeaders, MississippiEvent, ShardingKey } from '@mississippi/core';

/**
 * A message that left: handlers and services published it, or the test sent it.
 * @publicApi
 */
export interface PublishedMessage {
  /** The instance for whose handler it is. */
  readonly instance: string;
  readonly key: ShardingKey;
  /** As the instance's format reads it; `undefined` where it cannot. */
  readonly payload: unknown;
  /** What kind of message it is. */
  readonly type: string | undefined;
  readonly messageId: string;
  readonly headers: MessageHeaders;
}

/**
 * What the kit itself tells.
 * @publicApi
 */
export type HarnessEvent =
  | { readonly type: 'sent' | 'published'; readonly key: ShardingKey; readonly message: PublishedMessage }
  | { readonly type: 'crashed' | 'restarted' | 'brokerAway' | 'brokerBack' };

/**
 * One line of the journal: what happened, to which instance, and when on the fake clock. Milliseconds.
 * @publicApi
 */
export type JournalEntry = (MississippiEvent | HarnessEvent) & { readonly instance: string; readonly at: number };
