import type { ShardingKey } from '../keys/sharding-key.js';

interface KeyEvent {
  readonly key: ShardingKey;
  readonly shard: number;
  readonly epoch: number;
}

interface MessageEvent extends KeyEvent {
  readonly messageId: string | undefined;
  readonly attempt: number;
}

/**
 * What happens inside, as `DataUpdaterService.events` tells it.
 * @publicApi
 */
export type MississippiEvent =
  | (KeyEvent & { readonly type: 'started' })
  | (KeyEvent & { readonly type: 'startFailed'; readonly error: unknown; readonly failures: number })
  | (KeyEvent & { readonly type: 'deactivated'; readonly reason: unknown })
  | (KeyEvent & { readonly type: 'signalled' })
  | (MessageEvent & { readonly type: 'attemptStarted' })
  | (MessageEvent & { readonly type: 'handled' })
  | (MessageEvent & { readonly type: 'skipped' })
  | (MessageEvent & { readonly type: 'retried'; readonly error: unknown; readonly delay: number })
  | (MessageEvent & { readonly type: 'discarded'; readonly reason: string })
  | (MessageEvent & { readonly type: 'exhausted'; readonly error: unknown })
  | (MessageEvent & { readonly type: 'abandoned'; readonly error: unknown })
  | (MessageEvent & { readonly type: 'deadLettered'; readonly reason: string })
  | (KeyEvent & { readonly type: 'parked'; readonly mode: 'held' | 'pressure' })
  | (KeyEvent & { readonly type: 'resumed' })
  | (KeyEvent & { readonly type: 'unparked' })
  | { readonly type: 'shardOwned' | 'shardLost' | 'shardReleased'; readonly shard: number; readonly epoch: number };
