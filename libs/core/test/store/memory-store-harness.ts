import type { StoreConnection, StoreContext } from '@mississippi/core/store';
import type { StoreCapability, StoreHarness } from '@mississippi/testing/store';
import { memoryStore, MemoryStoreDatabase, type MemoryStoreClient } from '../../src/index.js';
import { FaultyStore } from '../support/faulty-store.js';

/** The store in memory, prepared for the conformance suite: a database for each case, shared by its connections. */
export class MemoryStoreHarness implements StoreHarness {
  readonly within: number = 5_000;
  readonly unsupported: readonly StoreCapability[] = [];
  protected database = new MemoryStoreDatabase();
  private stores: FaultyStore[] = [];

  async reset(): Promise<void> {
    this.database = new MemoryStoreDatabase();
    this.stores = [];
  }

  async connect(context: StoreContext): Promise<StoreConnection> {
    const store = new FaultyStore(memoryStore({ database: this.database }));
    this.stores.push(store);
    return store.connect(context);
  }

  async write(client: unknown, name: string, value: string): Promise<void> {
    await (client as MemoryStoreClient).set(name, value);
  }

  async fail(client: unknown): Promise<void> {
    await this.write(client, 'name', undefined as never).catch(() => undefined);
  }

  async written(name: string): Promise<string | undefined> {
    return this.database.values.get(name);
  }

  /** What a connection holds nowhere but in the process is gone with it. */
  async crash(connection: StoreConnection): Promise<void> {
    await connection.close();
  }

  async cut(): Promise<void> {
    await Promise.all(this.stores.map((store) => store.cut()));
  }
}
