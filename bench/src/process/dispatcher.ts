import type { Message } from './message.js';

export type Payload = 'json' | 'bytes';

/** What a contender is made from. */
export interface Setup {
  readonly payload: Payload;
  /** Most messages that are under way at once. */
  readonly window: number;
  /** To be called once for each message, when it was handled and the key's state is kept. */
  readonly handled: () => void;
}

/** A contender: it handles the messages of each key in the order of the calls. */
export interface Dispatcher {
  dispatch(name: string, shard: number, message: Message): void;
  close(): Promise<void>;
}
