/**
 * What a transport is made of and made with: the interface between the core and a plugin that delivers and publishes.
 * Users of a transport need nothing of it: `@publicApi` means here that writers of transports may touch it. The errors that
 * its docstrings name are exported by `@mississippi/core`.
 */
export type { Clock, Timer } from '../clock/clock.interface.js';
export { systemClock } from '../clock/system-clock.js';
export { describe, describeWithCause } from '../errors/describe.js';
export { Fifo, type FifoItem } from '../collections/fifo.js';
export { LogLimit } from '../log-limit.js';
export type { HeaderValue, MessageHeaders } from '../interfaces/message-headers.interface.js';
export { PROPERTY_NAMES, type MessageProperties } from '../interfaces/message-properties.interface.js';
export type { ProcessInfo, TransportStatus } from '../interfaces/status.interface.js';
export {
  canonicalKey,
  decodeShardingKey,
  inspectKey,
  keyId,
  shardOfEncoded,
  type ShardingKey,
} from '../keys/sharding-key.js';
export type { OptionPlace } from '../options/option-rules.js';
export { validateOptions } from '../options/validate-options.js';
export {
  expects,
  IsCount,
  IsMilliseconds,
  Nested,
  Optional,
  type CountRange,
  type NumberRange,
} from '../options/validators.js';
export type * from './transport.interface.js';
