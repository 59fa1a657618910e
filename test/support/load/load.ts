import { setTimeout as delay } from 'node:timers/promises';
import {
  memoryStore,
  type Failure,
  type MessageContext,
  type OperatorOptions,
  type Transport,
} from '@mississippi/core';
import {
  monotonic,
  type EventOf,
  type HistoryEvent,
  type Limits,
  type Numbered,
  type Verdict,
} from '@mississippi/history';
import { startAppliedApp, type AppliedApp } from '../applied-app.js';
import { History } from '../history.js';
import { untilNothingWaits } from '../nothing-waits.js';
import { RecordedOperator } from '../recorded-operator.js';
import { Seeded } from '../seeded.js';
import { keysNamed, Workload } from '../workload.js';
import { Tally } from './tally.js';

/** Messages of a key of the steady load that are not handled, above which no more of it are published. */
const BACKLOG = 40;
/** From one publishing to all of them to the next. Milliseconds. */
const PACE = 10;
/** So long a message of trouble waits for its next attempt: only an operator ends that within a test. Milliseconds. */
const LONG = 3_600_000;

/** What becomes of an attempt. */
type Trouble = 'fails' | 'discards' | 'none';

/** What the processes run on. */
export interface Ground {
  /** For one more process. */
  readonly transport: () => Transport;
  /** What the checker is to know of it. */
  readonly limits: Limits;
  /** Takes a shard away from its owner, as a lost connection does, where that is possible. */
  readonly lose?: (shard: number) => void;
}

export interface LoadOptions {
  readonly ground: Ground;
  /** Processes: the first of them publishes, and its operator acts. Default 1. */
  readonly processes?: number;
  /** Attempts at a message. Default `Infinity`. */
  readonly attempts?: number;
  /** Whether states are kept in a store, in memory. Default `false`. */
  readonly store?: boolean;
  /** Keys that are published to all the while. Default 30. */
  readonly keys?: number;
  /** The type of each message. Default none. */
  readonly typeOf?: (message: { readonly key: string; readonly seq: number }) => string;
  /** What somebody does who does anything, one after the other. Default 800. */
  readonly steps?: number;
  /** How long something is waited for. Milliseconds, default 20,000. */
  readonly patience?: number;
}

class LastingError extends Error {}
class PassingError extends Error {}

/** Resolves in the next round of the event loop. */
export const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Of a process in the history. */
export const nameOf = (index: number): string => `app${index}`;

const isOther = (key: string): boolean => key.startsWith('other');

/** Processes with many keys that are published to all the while; some attempts fail, and succeed at the next. */
export class Load {
  readonly history = new History();
  readonly apps: AppliedApp[] = [];
  readonly random = new Seeded(1);
  /** Keys that are published to all the while. */
  readonly keys: readonly string[];
  /** What becomes of an attempt at a message. */
  trouble: (message: Numbered, context: MessageContext) => Trouble = () => 'none';
  private readonly tally: Tally;
  private others!: Workload;
  private own!: Workload;
  private flows = true;
  private flowing: Promise<void> = Promise.resolve();

  private constructor(readonly options: LoadOptions) {
    this.keys = keysNamed('other', options.keys ?? 30);
    this.tally = new Tally(this.history.events, options.typeOf);
  }

  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(options);
    for (let index = 0; index < (options.processes ?? 1); index++) load.apps.push(await load.process(index));
    const { producer } = load.apps[0]!;
    const { history, random } = load;
    const typed = options.typeOf === undefined ? {} : { typeOf: options.typeOf };
    load.others = new Workload(producer, history, { keys: load.keys, random, ...typed });
    load.own = new Workload(producer, history, { keys: [], random, ...typed });
    load.flowing = load.flow();
    await load.until('there is load', () => load.handledByOthers > 100);
    return load;
  }

  /** Its calls are recorded. */
  get operator(): RecordedOperator {
    return this.operatorOf(0);
  }

  operatorOf(index: number, options: OperatorOptions = {}): RecordedOperator {
    return new RecordedOperator(this.apps[index]!.operator, this.history.test, options);
  }

  /** Takes a shard away from its owner. */
  lose(shard: number): void {
    const owner = this.events('owned').findLast((event) => event.shard === shard)!;
    this.history.test.record({ type: 'fault', fault: 'lose', target: owner.process, shard });
    this.options.ground.lose!(shard);
  }

  /** Those that somebody has owned. */
  get shards(): number[] {
    return [...new Set(this.events('owned').map(({ shard }) => shard))];
  }

  /** Messages of the keys that are published to all the while, so far. */
  get handledByOthers(): number {
    return this.history.handledWhere(isOther);
  }

  /** Publishes messages of a key besides. */
  publish(key: string, count: number): Promise<void> {
    return this.own.publishKey(key, count);
  }

  /** Ids of the messages of a key that were published besides, in order. */
  publishedOf(key: string): string[] {
    return this.own.published().flatMap((ref) => (ref.key === key ? [ref.id] : []));
  }

  until(what: string, holds: () => boolean): Promise<void> {
    return this.history.until(what, holds, this.options.patience);
  }

  /** Asks until something is so. */
  async untilAsked(what: string, holds: () => Promise<boolean>): Promise<void> {
    const { patience = 20_000 } = this.options;
    const begun = monotonic();
    while (!(await holds())) {
      if (monotonic() - begun > patience) throw new Error(`asked ${patience} ms in vain whether ${what}`);
      await round();
    }
  }

  /** Waits until so many more messages of the others are handled. */
  async untilMore(count: number): Promise<void> {
    const { handledByOthers } = this;
    await this.until(`${count} more were handled`, () => this.handledByOthers >= handledByOthers + count);
  }

  /** How often something was seen so far, of a key or of all; see {@link Tally}. */
  count(what: Parameters<Tally['count']>[0], of?: string): number {
    return this.tally.count(what, of);
  }

  /** Waits until what is published of some keys by now is handled. */
  async untilCaughtUp(keys: readonly string[]): Promise<void> {
    const due = keys.map((key) => [key, this.others.publishedOf(key)] as const);
    await this.until('they have caught up', () => due.every(([key, count]) => this.count('over', key) >= count));
  }

  events<Type extends HistoryEvent['type']>(type: Type): EventOf<Type>[] {
    return this.history.events.filter((event): event is EventOf<Type> & HistoryEvent => event.type === type);
  }

  /** Ids of the dead letters, the oldest first. */
  async letters(): Promise<string[]> {
    const { letters } = await this.operator.inner.deadLetters({ limit: 100_000 });
    return letters.map(({ messageId }) => messageId!);
  }

  /** No more trouble, and nothing more is published: everything comes to rest, and no promise was broken. */
  async finish(): Promise<void> {
    this.trouble = () => 'none';
    await this.calm();
    await this.history.untilNothingOpen(this.options.patience);
    await untilNothingWaits(this.operator.inner);
    await this.close();
    expect(this.check().violations).toEqual([]);
  }

  /** Nothing more is published to the others. */
  async calm(): Promise<void> {
    this.flows = false;
    this.history.changed();
    await this.flowing;
  }

  /** Ends it, however it went. */
  async close(): Promise<void> {
    await this.calm();
    for (const [index, app] of this.apps.splice(0).entries()) {
      await app.close();
      this.history.test.record({ type: 'exited', target: nameOf(index), how: 'left' });
    }
  }

  private check(): Verdict {
    const { attempts, store, ground } = this.options;
    const limits: Limits = { ...ground.limits, settlesLater: store === true, mayRefuse: false };
    return this.history.check(attempts === undefined ? limits : { ...limits, attempts });
  }

  private process(index: number): Promise<AppliedApp> {
    const { history, options } = this;
    const backoff = ({ error }: Failure): number => (error instanceof LastingError ? LONG : 2);
    return startAppliedApp({
      history,
      name: nameOf(index),
      transport: options.ground.transport(),
      ...(options.store === true ? { store: memoryStore() } : {}),
      work: (message, context) => this.work(message, context),
      marksReplays: true,
      options: { failurePolicy: { attempts: options.attempts ?? Infinity, backoff } },
    });
  }

  private async work(message: Numbered, context: MessageContext): Promise<'discard' | void> {
    await round();
    const trouble = this.trouble(message, context);
    if (trouble === 'discards') return 'discard';
    if (trouble === 'fails') throw new LastingError('this is to fail until it is mended');
    if (context.attempt === 1 && message.seq % 7 === 3) throw new PassingError('the first attempt is to fail');
  }

  private async flow(): Promise<void> {
    while (this.flows) {
      const ready = this.keys.filter((key) => this.waitingOf(key) < BACKLOG);
      await Promise.all(ready.map((key) => this.others.publishKey(key, this.random.below(3))));
      await delay(PACE);
    }
  }

  private waitingOf(key: string): number {
    return this.others.publishedOf(key) - this.count('over', key);
  }
}
