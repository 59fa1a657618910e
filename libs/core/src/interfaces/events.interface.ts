import type { ShardingKey } from '../keys/sharding-key.js';

/**
 * What every event about a key says.
 * @publicApi
 */
export interface KeyEvent {
  readonly key: ShardingKey;
  readonly shard: number;
  readonly epoch: number;
}

/**
 * What every event about a message of a key says.
 * @publicApi
 */
export interface KeyMessageEvent extends KeyEvent {
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
  | (KeyMessageEvent & { readonly type: 'attemptStarted' })
  | (KeyMessageEvent & { readonly type: 'handled' })
  | (KeyMessageEvent & { readonly type: 'skipped' })
  | (KeyMessageEvent & { readonly type: 'retried'; readonly error: unknown; readonly delay: number })
  | (KeyMessageEvent & { readonly type: 'discarded'; readonly reason: string })
  | (KeyMessageEvent & { readonly type: 'exhausted'; readonly error: unknown })
  | (KeyMessageEvent & { readonly type: 'abandoned'; readonly error: unknown })
  | (KeyMessageEvent & { readonly type: 'deadLettered'; readonly reason: string })
  | (KeyEvent & { readonly type: 'parked'; readonly mode: 'held' | 'pressure' })
  | (KeyEvent & { readonly type: 'resumed' })
  | (KeyEvent & { readonly type: 'unparked' })
  | { readonly type: 'shardOwned' | 'shardLost' | 'shardReleased'; readonly shard: number; readonly epoch: number };
