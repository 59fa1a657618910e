import { Mutex } from 'async-mutex';
import fastq from 'fastq';
import PQueue from 'p-queue';
import { concatMap, Subject } from 'rxjs';
import { Counting } from './counting.handler.js';
import type { Dispatcher, Setup } from './dispatcher.js';
import type { Message } from './message.js';

/** What a peer keeps of a key. */
interface Entry<Queue> {
  state: number | undefined;
  queue: Queue;
}

type Work<Queue> = (entry: Entry<Queue>, message: Message) => Promise<void>;

/** A way to run the work of one key one after the other. */
export interface Kind<Queue> {
  open(entry: Entry<Queue>, work: Work<Queue>): Queue;
  /** Returns a promise of the end of this message's work, where it has one anyway. */
  push(entry: Entry<Queue>, message: Message, work: Work<Queue>): Promise<unknown> | void;
}

/** One queue per key in a map, and the same handler and state as the library has. A failure has no policy. */
export function perKey<Queue>(kind: Kind<Queue>, { payload, handled }: Setup, answers = false): Dispatcher {
  const entries = new Map<string, Entry<Queue>>();
  const handler = new Counting();
  const run: Work<Queue> = async (entry, message) => {
    const content: unknown = payload === 'json' ? JSON.parse(message.body.toString()) : message.body;
    const { state } = await handler.handleMessage(content, entry.state);
    if (state !== undefined) entry.state = state;
    if (!answers) handled();
  };
  return {
    dispatch(name, _shard, message) {
      let entry = entries.get(name);
      if (entry === undefined) {
        entry = { state: undefined, queue: undefined as Queue };
        entry.queue = kind.open(entry, run);
        entries.set(name, entry);
      }
      const end = kind.push(entry, message, run);
      if (answers) void end!.then(handled);
    },
    close: () => Promise.resolve(),
  };
}

const subject: Kind<Subject<Message>> = {
  open(entry, work) {
    const messages = new Subject<Message>();
    messages.pipe(concatMap((message) => work(entry, message))).subscribe();
    return messages;
  },
  push: ({ queue }, message) => queue.next(message),
};

const promiseChain: Kind<Promise<void>> = {
  open: () => Promise.resolve(),
  push(entry, message, work) {
    entry.queue = entry.queue.then(() => work(entry, message));
    return entry.queue;
  },
};

const pQueue: Kind<PQueue> = {
  open: () => new PQueue({ concurrency: 1 }),
  push: (entry, message, work) => entry.queue.add(() => work(entry, message)),
};

const fastQueue: Kind<fastq.queueAsPromised<Message, void>> = {
  open(entry, work) {
    return fastq.promise((message: Message) => work(entry, message), 1);
  },
  push: ({ queue }, message) => queue.push(message),
};

const mutex: Kind<Mutex> = {
  open: () => new Mutex(),
  push: (entry, message, work) => entry.queue.runExclusive(() => work(entry, message)),
};

type Make = (setup: Setup, answers?: boolean) => Dispatcher;

export const PEERS = {
  subject: (setup, answers) => perKey(subject, setup, answers),
  'promise-chain': (setup, answers) => perKey(promiseChain, setup, answers),
  fastq: (setup, answers) => perKey(fastQueue, setup, answers),
  'p-queue': (setup, answers) => perKey(pQueue, setup, answers),
  'async-mutex': (setup, answers) => perKey(mutex, setup, answers),
} satisfies Record<string, Make>;

export type PeerName = keyof typeof PEERS;
