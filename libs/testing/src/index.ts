export type { ConformanceCase } from './conformance-case.js';
export type { Capability, DeadLetter, OpenOptions, RawMessage, TransportHarness } from './harness.js';
export { Journal, Watched } from './journal.js';
export { RecordedSession, type ReceivedSignal, type RecordedSessionOptions } from './recorded-session.js';
export { ShardRecorder, type ShardRecorderOptions } from './shard-recorder.js';
export { transportConformance } from './transport-conformance.js';
export type { StoreConformanceCase } from './store/store-case.js';
export { storeConformance } from './store/store-conformance.js';
export type { StoreCapability, StoreHarness } from './store/store-harness.js';
