import {
  memory,
  type MemoryBroker,
  memoryStore,
  MemoryStoreDatabase,
  type DataUpdaterHandler,
  type MississippiOptions,
  type ShardingKey,
} from '../../src/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { databaseOf } from '../../src/store/memory/memory-store-database.js';
import type { InboxEntry, OutboxRow } from '../../src/store/index.js';
import { FakeClock } from './fake-clock.js';
import { FaultyStore } from './faulty-store.js';
import { startEngine, type TestEngine } from './test-engine.js';

/** What outlives a process: the broker and the database, and the one clock of all. */
export class World {
  readonly clock = new FakeClock();
  readonly database = new MemoryStoreDatabase();
  readonly broker: MemoryBroker;

  constructor({ totalCount = 1 }: { totalCount?: number } = {}) {
    this.broker = memory({ totalCount }).broker;
  }

  /** Starts a process of it, on a store of its own that can be told to fail. */
  async start(
    handler: DataUpdaterHandler,
    options: Omit<MississippiOptions, 'transport' | 'store'> & { prefetch?: number; deliveryTimeout?: number } = {},
    prepare?: (store: FaultyStore) => void,
  ): Promise<DurableEngine> {
    const { prefetch, deliveryTimeout, ...own } = options;
    const transport = memory({ broker: this.broker, ...(prefetch === undefined ? {} : { prefetch }) });
    if (deliveryTimeout !== undefined) limitDeliveries(transport, deliveryTimeout);
    return this.startOn(transport, handler, own, prepare);
  }

  /** The same on a transport of the process's own, whose messages are gone with it. */
  async embed(
    handler: DataUpdaterHandler,
    options: Omit<MississippiOptions, 'transport' | 'store'> & { totalCount?: number } = {},
    prepare?: (store: FaultyStore) => void,
  ): Promise<DurableEngine> {
    const { totalCount = 1, ...own } = options;
    return this.startOn(memory({ totalCount }), handler, own, prepare);
  }

  /** The stored state of a key. */
  state(key: ShardingKey): unknown {
    const stored = this.tables?.states.get(encodeShardingKey(key), this.clock.time());
    return stored === undefined ? undefined : JSON.parse(Buffer.from(stored.bytes).toString());
  }

  /** What the inbox knows of a message. */
  entry(key: ShardingKey, messageId: string): InboxEntry | undefined {
    return this.tables?.inbox.get({ key: encodeShardingKey(key), messageId });
  }

  /** The rows of a shard's outbox. */
  rows(shard = 0): readonly OutboxRow[] {
    return this.tables?.outbox(shard).read(undefined, 10_000) ?? [];
  }

  private get tables() {
    return databaseOf(this.database).instances.get('default');
  }

  private async startOn(
    transport: ReturnType<typeof memory>,
    handler: DataUpdaterHandler,
    options: Omit<MississippiOptions, 'transport' | 'store'>,
    prepare: (store: FaultyStore) => void = () => undefined,
  ): Promise<DurableEngine> {
    const store = new FaultyStore(memoryStore({ database: this.database }));
    prepare(store);
    const engine = await startEngine(handler, {
      clock: this.clock,
      transport,
      store,
      ...options,
    });
    await rest();
    return {
      ...engine,
      store,
      async send(key, ...ids) {
        for (const id of ids) await engine.publish(key, id, { messageId: String(id) });
        await rest();
      },
      /** As kill -9 would: nothing that it does has an effect any more. */
      async kill() {
        store.goAway('the process was killed');
        await engine.engine.connection().close();
        await store.close();
        await rest();
      },
    };
  }
}

export interface DurableEngine extends TestEngine {
  readonly store: FaultyStore;
  /** Ends it as kill -9 would. */
  kill(): Promise<void>;
}

/** Resolves when everything that needs no time has happened, round trips to the store in memory included. */
export async function rest(): Promise<void> {
  for (let round = 0; round < 60; round++) await new Promise((resolve) => setImmediate(resolve));
}

/** A transport that says that its broker takes deliveries back after a while. */
function limitDeliveries(transport: ReturnType<typeof memory>, deliveryTimeout: number): void {
  const connect = transport.connect.bind(transport);
  transport.connect = async (context) => Object.assign(await connect(context), { deliveryTimeout });
}

/** A state that is a list of what was handled. */
export interface Ledger {
  ids: string[];
}

/** Adds each payload to the list, in place. */
export const ledger: DataUpdaterHandler<Ledger, string> = {
  init: () => ({ ids: [] }),
  handleMessage: (payload, state) => void state.ids.push(payload),
  handleSignal: (_signal, state) => state.ids.length,
};
