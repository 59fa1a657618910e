import type { ShardingKey } from '../keys/sharding-key.js';

/**
 * What is about to be shown to an operator.
 * @publicApi
 */
export interface Shown {
  readonly what: 'payload' | 'state';
  /** `undefined` where it has none that can be read. */
  readonly key: ShardingKey | undefined;
  /** The message's property `type`, of payloads that have one. */
  readonly type: string | undefined;
}

/**
 * Returns what may be shown of a payload or of a state. It gets a copy.
 * @example ({ card: _card, ...rest }) => rest
 * @publicApi
 */
export type Redact = (value: unknown, shown: Shown) => unknown;
