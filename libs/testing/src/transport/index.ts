export { Journal, Watched } from '../conformance/journal.js';
export type { ConformanceCase } from './conformance-case.js';
export type { Capability, DeadLetter, OpenOptions, RawMessage, TransportHarness } from './harness.js';
export { RecordedSession, type ReceivedSignal, type RecordedSessionOptions } from './recorded-session.js';
export { ShardRecorder, type ShardRecorderOptions } from './shard-recorder.js';
export { transportConformance } from './transport-conformance.js';
