/**
 * What telemetry is made of and made with: the interface between the core and a plugin that makes traces and metrics. Users of
 * one need nothing of it: `@publicApi` means here that writers of such plugins may touch it.
 */
export type { Clock, Timer } from '../clock/clock.interface.js';
export type { MississippiEvent, KeyEvent, KeyMessageEvent } from '../interfaces/events.interface.js';
export type { MessageProperties } from '../interfaces/message-properties.interface.js';
export type { HeaderValue, MessageHeaders } from '../interfaces/message-headers.interface.js';
export type {
  EngineStatus,
  OldestOutboxMessage,
  OutboxHealth,
  StoreHealth,
  TransportStatus,
} from '../interfaces/status.interface.js';
export type { ShardingKey } from '../keys/sharding-key.js';
export { describe } from '../errors/describe.js';
export type { OptionPlace } from '../options/option-rules.js';
export { validateOptions } from '../options/validate-options.js';
export { expects, Optional } from '../options/validators.js';
export type { Destination, OutgoingMessage } from '../transport/transport.interface.js';
export type * from './telemetry.interface.js';
