import type { QueueType } from './queues.js';
import type { Reading } from './reading.js';

/** The user's work: nothing, or a promise of its end. */
export type Handle = (reading: Reading) => Promise<void> | void;

export interface ConsumerSetup {
  readonly url: string;
  readonly prefix: string;
  readonly type: QueueType;
  readonly handle: Handle;
}

/** Starts a consumer of all the queues. Resolves with what ends it. */
export type StartConsumer = (setup: ConsumerSetup) => Promise<() => Promise<unknown>>;
