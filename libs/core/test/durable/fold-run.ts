import { setTimeout as sleep } from 'node:timers/promises';
import {
  ack,
  DataUpdaterService,
  discard,
  EventsProducer,
  memory,
  memoryStore,
  MemoryStoreDatabase,
  reply,
  StateNotCommittedError,
  type DataUpdaterHandler,
  type MemoryBroker,
  type MemoryStoreClient,
  type MemoryTransport,
  type MessageContext,
} from '../../src/index.js';
import { Engine } from '../../src/engine/engine.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { resolveOptions } from '../../src/mississippi.options.js';
import { databaseOf } from '../../src/store/memory/memory-store-database.js';
import { FaultyStore } from '../support/faulty-store.js';

/** What a run does to its processes and their stores. */
export interface FoldPlan {
  readonly seed: number;
  readonly keys: number;
  readonly messages: number;
  readonly processes: number;
  /** Whether there is one process after the other, each with a transport of its own that is gone with it. */
  readonly embedded?: boolean;
  /** How long what is missing is waited for at the end. Milliseconds. */
  readonly patience: number;
  /** Out of 1,000 messages: how many have what done to them, or what happens beside them. */
  readonly faults: Readonly<Record<FoldFault, number>>;
}

export type FoldFault =
  /** The answer to a commit is lost; a commit is not sent; the store is busy; it refuses a message. */
  | 'lostAnswer'
  | 'unsent'
  | 'busy'
  | 'refused'
  /** Kill -9; the connection to the broker breaks. */
  | 'crash'
  | 'lostShards'
  /** An owner stands still in a commit until another one owns its shards, also after the database came back from a backup. */
  | 'frozen'
  | 'restored'
  | 'throws'
  | 'discards'
  /** A message is published twice. */
  | 'twice'
  | 'signals'
  /** An operator parks a key, resumes one, drops a message. */
  | 'parks'
  | 'resumes'
  | 'drops';

interface Payload {
  readonly id: string;
  /** Passed on by this key's handler; from outside without. */
  readonly from?: string;
}

/** What a key has seen, each in order. */
interface Seen {
  ids: string[];
}

/** What came out of a run. */
export interface FoldResult {
  /** By key: the ids in its stored state. */
  readonly states: ReadonlyMap<string, readonly string[]>;
  /** By key: the ids that were published to it from outside, in order. */
  readonly published: ReadonlyMap<string, readonly string[]>;
  readonly deadLetters: ReadonlySet<string>;
  /** Signals that were answered, and those that were refused because they were undone. */
  readonly answered: readonly string[];
  readonly undone: readonly string[];
  /** How often transactions wrote each id. */
  readonly written: ReadonlyMap<string, string>;
  /** Rows left in the outbox. */
  readonly left: number;
  readonly planted: Readonly<Record<string, number>>;
}

/** Mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Where the handler of a key passes a message from outside on to, always the same; `undefined` for most. */
export function passedOn(
  id: string,
  key: string,
  keys: number,
): { readonly id: string; readonly to: string } | undefined {
  const to = `k${hash(id) % keys}`;
  return hash(`pass ${id}`) % 3 === 0 && to !== key ? { id: `${id}>${to}`, to } : undefined;
}

/** Whether the handler writes the message in its transaction. */
export function isWritten(id: string): boolean {
  return hash(`write ${id}`) % 7 === 0;
}

const TOTAL_COUNT = 4;
const PRODUCER_SHARD = -1;
const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

class Process {
  readonly store: FaultyStore;
  readonly engine: Engine;
  readonly service: DataUpdaterService;
  readonly producer: EventsProducer;
  alive = true;

  constructor(
    run: FoldRun,
    readonly transport: MemoryTransport,
  ) {
    this.store = new FaultyStore(memoryStore({ database: run.database }));
    this.engine = new Engine({
      options: resolveOptions('default', {
        failurePolicy: { attempts: 4, backoff: { initial: 1, max: 3 } },
        pressureAge: 40,
        idleTimeout: 20,
        drainTimeout: 500,
      }),
      handler: run.handler(),
      handlerName: 'FoldHandler',
      logger: SILENT,
      store: this.store,
      random: run.random,
    });
    this.service = new DataUpdaterService({ engine: this.engine, events: this.engine.events });
    this.producer = new EventsProducer({ engine: this.engine });
  }

  async start(): Promise<void> {
    await this.engine.connect(this.transport);
    await this.engine.consume();
  }

  /** As kill -9 would: nothing that it does has an effect any more. */
  async crash(): Promise<void> {
    this.alive = false;
    this.store.goAway();
    await this.engine.connection().close();
    await this.store.close();
  }
}

/** Processes on one database, to which something happens all the while. What they do is folded into the states of their keys. */
export class FoldRun {
  readonly random: () => number;
  readonly database = new MemoryStoreDatabase();
  private readonly broker: MemoryBroker | undefined;
  private readonly planted: Record<string, number> = {};
  private readonly thrown = new Set<string>();
  private readonly answered: string[] = [];
  private readonly undone: string[] = [];
  private readonly published = new Map<string, string[]>();
  private readonly transports: MemoryTransport[] = [];
  private processes: Process[] = [];
  private readonly graves: Process[] = [];
  /** What is to happen yet. */
  private readonly later: Promise<unknown>[] = [];

  constructor(private readonly plan: FoldPlan) {
    this.random = seededRandom(plan.seed);
    if (plan.embedded !== true) {
      this.broker = memory({ totalCount: TOTAL_COUNT, capacity: 100_000, deadLetterLimit: 10_000 }).broker;
    }
  }

  handler(): DataUpdaterHandler<Seen, Payload> {
    return {
      init: () => ({ ids: [] }),
      handleMessage: (payload, state, context) => this.handle(payload, state, context),
      handleSignal(signal, state) {
        const id = String(signal);
        if (hash(id) % 2 === 0) return reply(id, { ids: [...state.ids, id] });
        state.ids.push(id);
        return id;
      },
    };
  }

  async execute(): Promise<FoldResult> {
    const { plan, random, published } = this;
    for (let n = 0; n < plan.processes; n++) await this.add();
    const outside = await this.outside();
    for (let n = 0; n < plan.messages; n++) {
      const key = `k${Math.floor(random() ** 2 * plan.keys)}`;
      const ids = published.get(key) ?? [];
      published.set(key, ids);
      const id = `${key}-${ids.length}`;
      ids.push(id);
      await this.publish(outside, key, id);
      if (this.strikes('twice')) await this.publish(outside, key, id);
      await this.strike(n);
    }
    await Promise.all(this.later);
    await this.settle();
    const result = {
      states: this.states(),
      published,
      deadLetters: this.deadLetters(),
      answered: this.answered,
      undone: this.undone,
      written: new Map(this.database.values),
      left: this.rowsLeft(),
      planted: this.planted,
    };
    await Promise.all([...this.graves, ...this.processes].map(({ engine }) => engine.stop()));
    await outside?.stop();
    return result;
  }

  /** A process that only publishes, where there is a broker. */
  private async outside(): Promise<Engine | undefined> {
    if (this.broker === undefined) return undefined;
    const options = resolveOptions('default', { producerOnly: true });
    const engine = new Engine({ options, handler: undefined, handlerName: '', logger: SILENT });
    await engine.connect(memory({ broker: this.broker }));
    return engine;
  }

  /** Publishes until that has succeeded. */
  private async publish(outside: Engine | undefined, key: string, id: string): Promise<void> {
    for (;;) {
      const producer = outside === undefined ? this.processes[0]!.producer : new EventsProducer({ engine: outside });
      try {
        await producer.publish({ id } satisfies Payload, { shardingKey: key, messageId: id });
        return;
      } catch {
        await sleep(1);
      }
    }
  }

  private async handle({ id, from }: Payload, state: Seen, context: MessageContext) {
    const slow = context.key === 'k0' ? 0.5 : 0.1;
    if (this.random() < slow) await sleep(this.random() * 4);
    if (isWritten(id)) {
      const client = await context.transaction<MemoryStoreClient>();
      await client.set(id, `${Number((await client.get(id)) ?? 0) + 1}`);
    }
    const next = from === undefined ? passedOn(id, context.key, this.plan.keys) : undefined;
    // By an id of its own each time, so that nobody but the outbox can know it for the same.
    if (next !== undefined)
      context.publish({ id: next.id, from: context.key } satisfies Payload, { shardingKey: next.to });
    if (!this.thrown.has(id) && this.strikes('throws')) {
      this.thrown.add(id);
      state.ids.push(`${id} which failed`);
      throw new Error('struck');
    }
    // What is handled again may be decided otherwise.
    if (next === undefined && this.strikes('discards')) return discard<Seen>('chosen');
    if (hash(id) % 2 === 0) return ack({ ids: [...state.ids, id] });
    state.ids.push(id); // In place, which counts too.
    return undefined;
  }

  private strikes(fault: FoldFault): boolean {
    if (this.random() * 1_000 >= this.plan.faults[fault]) return false;
    this.planted[fault] = (this.planted[fault] ?? 0) + 1;
    return true;
  }

  private async strike(n: number): Promise<void> {
    const victim = this.processes[Math.floor(this.random() * this.processes.length)]!;
    if (this.strikes('lostAnswer')) victim.store.loseAnswer('commit');
    if (this.strikes('unsent')) victim.store.fail('commit');
    if (this.strikes('busy')) victim.store.busy('commit');
    if (this.strikes('refused')) refuseOnce(victim.store);
    if (this.strikes('signals')) this.signal(this.someKey(), `s!${n}`);
    if (this.strikes('parks')) this.operate((service, key) => service.park(key));
    if (this.strikes('resumes')) this.operate((service, key) => service.resume(key));
    if (this.strikes('drops')) {
      this.operate(async (service, key) => {
        await service.park(key);
        await sleep(3);
        await service.drop(key);
        await service.resume(key);
      });
    }
    if (this.broker !== undefined && this.processes.length > 1 && this.strikes('frozen')) {
      await this.freeze(victim, n);
    } else if (this.strikes('crash')) {
      await victim.crash();
      await this.replace(victim);
    } else if (this.broker !== undefined && this.strikes('lostShards')) {
      await victim.engine.connection().close();
      await this.replace(victim);
    }
    if (this.random() < 0.2) await sleep(1);
  }

  private someKey(): string {
    return `k${Math.floor(this.random() * this.plan.keys)}`;
  }

  /** Asks whoever owns the key. */
  private signal(key: string, id: string, processes = this.processes): void {
    const ask = async (): Promise<void> => {
      for (const { service } of processes) {
        try {
          await service.handleSignal(key, id);
          this.answered.push(id);
          return;
        } catch (error) {
          if (error instanceof StateNotCommittedError) this.undone.push(id);
          if (!isElsewhere(error)) return;
        }
      }
    };
    void ask();
  }

  private operate(call: (service: DataUpdaterService, key: string) => Promise<void>): void {
    const key = this.someKey();
    for (const { service } of this.processes) void call(service, key).catch(() => undefined);
  }

  /** The process stands still in a commit of signals, which have no entry in the inbox, while another one takes its shards over. */
  private async freeze(victim: Process, n: number): Promise<void> {
    await sleep(8);
    const held = victim.store.hold('commit');
    for (let k = 0; k < this.plan.keys; k++) this.signal(`k${k}`, `s!${n}.${k}`, [victim]);
    await Promise.race([held.reached, sleep(20)]);
    const shards = victim.engine.shards.indexes;
    if (this.strikes('restored')) for (const shard of shards) this.restore(shard);
    victim.engine.connection().stopClaiming();
    for (const shard of shards) this.broker!.loseShard(shard);
    await this.replace(victim);
    this.later.push(
      (async () => {
        await sleep(5 + this.random() * 20);
        held.release();
        await sleep(10);
        await victim.crash();
      })(),
    );
  }

  /** As if the database had come back from a backup, in which epochs are lower; that has no rows of later ones. */
  private restore(shard: number): void {
    if (this.tables.outbox(shard).read(undefined, 1).length > 0) return;
    const fence = this.tables.fence(shard);
    fence.epoch = Math.max(0, fence.epoch - 5);
  }

  private async replace(victim: Process): Promise<void> {
    this.processes = this.processes.filter((process) => process !== victim);
    this.graves.push(victim);
    await this.add();
  }

  private async add(): Promise<void> {
    const { broker } = this;
    const transport =
      broker === undefined
        ? memory({ totalCount: TOTAL_COUNT, prefetch: 20, capacity: 100_000, deadLetterLimit: 10_000 })
        : memory({ broker, prefetch: 20 });
    this.transports.push(transport);
    const process = new Process(this, transport);
    await process.start();
    this.processes.push(process);
  }

  /** Waits until nothing is left to do. */
  private async settle(): Promise<void> {
    const total = [...this.published.values()].reduce((sum, ids) => sum + ids.length, 0);
    const until = Date.now() + this.plan.patience;
    let last = '';
    let still = 0;
    while (Date.now() < until) {
      for (const { service } of this.processes) {
        for (const { key, state } of Array.from(service.liveKeys())) {
          if (state === 'parked') void service.resume(key as string).catch(() => undefined);
        }
      }
      await sleep(25);
      const ids = [...this.states().values()].flat();
      const seen = ids.filter(isFromOutside).length + [...this.deadLetters()].filter(isFromOutside).length;
      const left = this.rowsLeft();
      const now = `${ids.length} ${seen} ${left}`;
      still = now === last && left === 0 && seen >= total ? still + 1 : 0;
      last = now;
      if (still >= 4) return;
    }
  }

  private get tables() {
    return databaseOf(this.database).instances.get('default')!;
  }

  private states(): Map<string, string[]> {
    return new Map(
      Array.from({ length: this.plan.keys }, (_, n) => {
        const state = this.tables.states.get(encodeShardingKey(`k${n}`), Date.now());
        return [`k${n}`, state === undefined ? [] : (JSON.parse(Buffer.from(state.bytes).toString()) as Seen).ids];
      }),
    );
  }

  /** The ids in the dead letters of all brokers that there were. */
  private deadLetters(): Set<string> {
    const brokers = new Set(this.transports.map(({ broker }) => broker));
    const letters = [...brokers].flatMap(({ deadLetters }) => deadLetters);
    return new Set(letters.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as Payload).id));
  }

  private rowsLeft(): number {
    let rows = 0;
    for (let shard = PRODUCER_SHARD; shard < TOTAL_COUNT; shard++) {
      rows += this.tables.outbox(shard).read(undefined, 1_000).length;
    }
    return rows;
  }
}

/** Whether a message is one of those that were published from outside. */
export function isFromOutside(id: string): boolean {
  return !id.includes('>') && !id.includes('!');
}

/** Refuses one message, in whatever group, until it stands alone. */
function refuseOnce(store: FaultyStore): void {
  const end = store.refuse(({ handled }) => {
    const bad = handled.some(({ messageId, outcome }) => outcome === 'handled' && hash(messageId) % 5 === 0);
    if (bad && handled.length === 1) end();
    return bad;
  });
}

/** Whether the owner is another, so that nothing has happened. */
function isElsewhere(error: unknown): boolean {
  return (error as { code?: string }).code === 'shard_not_owned';
}

function hash(text: string): number {
  let value = 7;
  for (const letter of text) value = (value * 31 + letter.charCodeAt(0)) >>> 0;
  return (value ^ (value >>> 15)) >>> 0;
}
