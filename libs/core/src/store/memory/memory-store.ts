import { StoreInUseError, StoreMismatchError } from '../../errors/index.js';
import { IsInstance, Optional } from '../../options/validators.js';
import { validateOptions } from '../../options/validate-options.js';
import { MemoryStoreConnection } from './memory-store-connection.js';
import { databaseOf, MemoryStoreDatabase } from './memory-store-database.js';
import type { Store, StoreConnection, StoreContext } from '../store.interface.js';

/**
 * The options of the store in memory.
 * @publicApi
 */
export class MemoryStoreOptions {
  /** Where to keep things; default a database of its own. Give it to outlive an app, or to share it with other apps of this process. */
  @Optional()
  @IsInstance(MemoryStoreDatabase)
  database?: MemoryStoreDatabase;
}

/**
 * A store for tests, which behaves as a database does: it keeps bytes, answers later, fences, and commits all or nothing.
 * `context.transaction()` gives a {@link MemoryStoreClient}. What it holds is lost with the process. States with a `ttl` go by
 * the module's clock. Its inbox keeps every entry.
 * @throws {InvalidOptionsError}
 * @publicApi
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new MemoryStore(validateOptions('memoryStore', MemoryStoreOptions, options));
}

/**
 * What {@link memoryStore} makes.
 * @publicApi
 */
export class MemoryStore implements Store {
  readonly name = 'memory';
  /** What holds the states, for tests, and to be shared with another app. */
  readonly database: MemoryStoreDatabase;

  /** @internal */
  constructor(options: MemoryStoreOptions) {
    this.database = options.database ?? new MemoryStoreDatabase();
  }

  /**
   * @throws {StoreMismatchError}
   * @throws {StoreInUseError}
   */
  async connect(context: StoreContext): Promise<StoreConnection> {
    await new Promise<void>((resolve) => context.clock.soon(resolve));
    const parts = databaseOf(this.database);
    const tables = parts.instance(context);
    checkShards(context, tables.shards);
    const connection = new MemoryStoreConnection(tables, parts.values, context);
    if (context.exclusive) {
      if (tables.holder !== undefined) {
        throw new StoreInUseError(
          `Another app has the instance ${context.instance} open, and its transport keeps messages in the process: close that one first.`,
        );
      }
      tables.holder = connection;
    }
    return connection;
  }
}

function checkShards({ instance, shards }: StoreContext, known: StoreContext['shards']): void {
  const { transport, totalCount, hash } = shards;
  if (known.transport === transport && known.totalCount === totalCount && known.hash === hash) return;
  throw new StoreMismatchError(
    `The store knows the instance ${instance} with ${inWords(known)}, and it has ${inWords(shards)} now: ` +
      'give it another name, or its former transport and number of shards.',
  );
}

function inWords({ transport, totalCount, hash }: StoreContext['shards']): string {
  return `${totalCount} shards by ${hash} over ${transport}`;
}
