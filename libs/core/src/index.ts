export type { Clock, Timer } from './clock/clock.interface.js';
export { systemClock } from './clock/system-clock.js';
export { MessageHandler } from './decorators/message-handler.decorator.js';
export { MessageHandlerPart, type MessageHandlerPartOptions } from './decorators/message-handler-part.decorator.js';
export { OnMessage } from './decorators/on-message.decorator.js';
export { OnSignal } from './decorators/on-signal.decorator.js';
export { KeyState, ShardingKey } from './decorators/parameter.decorators.js';
export {
  InjectDataUpdaterService,
  InjectEventsProducer,
  InjectMississippiOperator,
} from './decorators/inject.decorators.js';
export type { DataUpdaterRef, LiveKey } from './interfaces/live-key.interface.js';
export type { StateFormat } from './interfaces/state-format.interface.js';
export { NOTE_HEADERS, REPLAY_HEADER, type DeadLetterReason, type ParkReason } from './note-headers.js';
export { CONTEXT_TYPE } from './enhancers/handler-context-creator.js';
export * from './errors/index.js';
export type { CallbackContext, MessageContext, PublishInput } from './interfaces/callback-context.interface.js';
export type {
  DataUpdaterHandler,
  DataUpdaterLifecycle,
  MaybePromise,
  TerminateReason,
} from './interfaces/data-updater-handler.interface.js';
export type {
  HandlerClient,
  IsMessageContext,
  IsOutcome,
  KeyClient,
  KeyOf,
  SignalCall,
  SignalMethod,
  SignalOptions,
} from './interfaces/key-client.interface.js';
export type { MessageTypesOf } from './interfaces/message-types.interface.js';
export type {
  AnyMethod,
  MessageMethodDecorator,
  MethodTakes,
  SignalMethodDecorator,
  TypeIsListed,
} from './interfaces/method-decorators.interface.js';
export type { KeyEvent, KeyMessageEvent, MississippiEvent } from './interfaces/events.interface.js';
export type { PayloadCodec, PayloadFormat, PayloadOf } from './interfaces/payload-codec.interface.js';
export type { SignalFormat } from './interfaces/signal-format.interface.js';
export type { BackoffFunction, ErrorRule, ErrorVerdict, Failure } from './interfaces/failure.interface.js';
export type { StandardIssue, StandardResult, StandardSchema } from './interfaces/standard-schema.interface.js';
export type { OnMessageOptions, PayloadShape } from './options/on-message.options.js';
export type { PayloadClassOptions } from './options/payload-class.options.js';
export type { HeaderValue, MessageHeaders } from './interfaces/message-headers.interface.js';
export type {
  EngineStatus,
  OldestOutboxMessage,
  OutboxHealth,
  ProcessInfo,
  StoreHealth,
  TransportStatus,
} from './interfaces/status.interface.js';
export type { MessageProperties } from './interfaces/message-properties.interface.js';
export { keyDigest } from './keys/key-text.js';
export { decodeShardingKey, encodeShardingKey, inspectKey, shardOf } from './keys/sharding-key.js';
export type { KeyKind } from './keys/key-kinds.js';
export type { MemoryDeadLetter } from './memory/broker/dead-letters.js';
export { MemoryBroker, type MemoryBrokerOptions, type MemoryForeignMessage } from './memory/memory-broker.js';
export { memory, MemoryTransport, type MemoryTransportOptions } from './memory/memory-transport.js';
export { MississippiModule } from './mississippi.module.js';
export type {
  AsyncRegistrationOptions,
  BackoffOptions,
  FailurePolicyOptions,
  MessageHandlerOptions,
  MississippiOptions,
  RegistrationOptions,
  TypeSource,
  UnknownTypeRule,
} from './mississippi.options.js';
export {
  DEFAULT_INSTANCE,
  MISSISSIPPI_CLOCK,
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  getMississippiOperatorToken,
  getMississippiOptionsToken,
  getMississippiStoreToken,
  getMississippiTransportToken,
} from './mississippi.tokens.js';
export { ack, discard, ok, reply, stop } from './outcomes.js';
export type {
  Ack,
  CommitOptions,
  ContinueOption,
  Discard,
  MessageOutcome,
  Ok,
  OutcomeOptions,
  Publication,
  Reply,
  Stop,
  StopOptions,
} from './outcomes.js';
export { memoryStore, MemoryStore, type MemoryStoreOptions } from './store/memory/memory-store.js';
export { MemoryTransaction } from './store/memory/memory-transaction.js';
export { MemoryStoreDatabase } from './store/memory/memory-store-database.js';
export type { MemoryStoreClient } from './store/memory/memory-store-transaction.js';
export type { Telemetry } from './telemetry/telemetry.interface.js';
export type { Transport } from './transport/transport.interface.js';
export { DataUpdaterService, type DirectMessage } from './services/data-updater.service.js';
export { PUBLISHED_AT_HEADER } from './outgoing/encode-message.js';
export { EventsProducer, type PublishOptions } from './services/events-producer.service.js';
export type {
  BusyKey,
  CallbackReport,
  DropProgress,
  HeadReport,
  KeyFilter,
  KeyList,
  KeyReport,
  KeyTrouble,
  KeyWatch,
  OwnedShardReport,
  RecentEvent,
  ShardReport,
  UnansweredShard,
} from './interfaces/operator.interface.js';
export type {
  DeadLetterDetails,
  DeadLetterFilter,
  DeadLetterList,
  DeadLetterProgress,
  DeadLetterReport,
} from './interfaces/dead-letter.interface.js';
export type {
  AuditEntry,
  AuditFilter,
  AuditList,
  StateChangeOptions,
  StateReport,
} from './interfaces/stored-state.interface.js';
export type { Redact, Shown } from './interfaces/redact.interface.js';
export {
  MississippiOperator,
  type FirstMessageOptions,
  type OperatorOptions,
  type ReplayOptions,
} from './services/mississippi-operator.service.js';
