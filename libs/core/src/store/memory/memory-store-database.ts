import { InstanceTables } from './instance-tables.js';
import { MemoryTransaction } from './memory-transaction.js';
import type { StoreContext } from '../store.interface.js';

/** The inside of a database. */
export class DatabaseParts {
  readonly instances = new Map<string, InstanceTables>();
  /** What transactions of handlers have written. */
  readonly values = new Map<string, string>();

  /** The tables of an instance, made when they are not there. */
  instance({ instance, shards }: Pick<StoreContext, 'instance' | 'shards'>): InstanceTables {
    let tables = this.instances.get(instance);
    if (tables === undefined) this.instances.set(instance, (tables = new InstanceTables({ ...shards })));
    return tables;
  }
}

/**
 * The inside of a database, for the store and for tests. The class below lets nobody else have it.
 * @internal
 */
export let databaseOf: (database: MemoryStoreDatabase) => DatabaseParts;

/**
 * What a store in memory keeps things in. It outlives the connections to it, and several apps of one process may share it,
 * which is how a crash and a hand-over are tested without a database:
 *
 * ```ts
 * const database = new MemoryStoreDatabase();
 * const [one, two] = [memoryStore({ database }), memoryStore({ database })];
 * ```
 * @publicApi
 */
export class MemoryStoreDatabase {
  readonly #parts = new DatabaseParts();

  static {
    databaseOf = (database) => database.#parts;
  }

  /** Begins a transaction, for `publish(…, { transaction })`. */
  begin(): MemoryTransaction {
    return new MemoryTransaction();
  }

  /** What handlers have written by `context.transaction()`, as far as it was committed. */
  get values(): ReadonlyMap<string, string> {
    return this.#parts.values;
  }
}
