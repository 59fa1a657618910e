import type { ShardCommit, StoreConnection, StoreContext } from '@mississippi/core/store';
import type { InstanceTables } from '../../../src/store/memory/instance-tables.js';
import { databaseOf } from '../../../src/store/memory/memory-store-database.js';
import type { OutboxTable } from '../../../src/store/memory/outbox-table.js';
import type { ShardFence } from '../../../src/store/memory/shard-fence.js';
import { changed } from '../../support/changed.js';
import { replaceMethod } from '../../support/replace-method.js';
import { MemoryStoreHarness } from '../memory-store-harness.js';

/** A store in memory with one seeded fault, and the case that must find it. */
export interface StoreMutant {
  /** The fault. */
  readonly name: string;
  /** The case's name. */
  readonly by: string;
  /** What the case says. */
  readonly says: RegExp;
  readonly context?: (context: StoreContext, seed: Seed) => StoreContext;
  readonly tables?: (tables: InstanceTables, seed: Seed) => void;
  readonly connection?: (connection: StoreConnection, seed: ConnectionSeed) => Partial<StoreConnection>;
}

/** What every fault may touch. */
export interface Seed {
  /** To be called whenever the faulty branch does what a sound one would not. */
  readonly tookHold: () => void;
  /** What handlers have written, as far as it was committed. */
  readonly values: Map<string, string>;
}

export interface ConnectionSeed extends Seed {
  readonly tables: InstanceTables;
  readonly context: StoreContext;
}

/** Changes each shard's fence. */
export function eachFence(plant: (fence: ShardFence, seed: Seed) => void): NonNullable<StoreMutant['tables']> {
  return (tables, seed) => {
    const planted = new Set<ShardFence>();
    replaceMethod(tables, 'fence', (find) => (shard) => {
      const fence = find(shard);
      if (!planted.has(fence)) {
        planted.add(fence);
        plant(fence, seed);
      }
      return fence;
    });
  };
}

/** Changes each shard's outbox. */
export function eachOutbox(plant: (outbox: OutboxTable, seed: Seed) => void): NonNullable<StoreMutant['tables']> {
  return (tables, seed) => {
    const planted = new Set<OutboxTable>();
    replaceMethod(tables, 'outbox', (find) => (shard) => {
      const outbox = find(shard);
      if (!planted.has(outbox)) {
        planted.add(outbox);
        plant(outbox, seed);
      }
      return outbox;
    });
  };
}

/** A fence that admits what it should not. */
export function admitting(
  isAdmitted: (commit: Pick<ShardCommit, 'epoch' | 'number' | 'previous'>, fence: ShardFence) => boolean,
): NonNullable<StoreMutant['tables']> {
  return eachFence((fence, { tookHold }) => {
    replaceMethod(fence, 'admits', (admits) => (commit) => {
      const should = admits(commit);
      const does = isAdmitted(commit, fence);
      if (does !== should) tookHold();
      return does;
    });
  });
}

/** A later round of the event loop. */
export function later(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The store in memory with a fault. */
export class StoreMutantHarness extends MemoryStoreHarness {
  /** How often the fault did what a sound store would not. */
  took = 0;
  private readonly tookHold = (): void => void this.took++;

  /** @param within short, since some faults show only in that nothing comes */
  constructor(
    private readonly mutant: Partial<StoreMutant>,
    override readonly within = 500,
  ) {
    super();
  }

  override async reset(): Promise<void> {
    await super.reset();
    const parts = databaseOf(this.database);
    replaceMethod(parts, 'instance', (find) => (context) => {
      const isNew = !parts.instances.has(context.instance);
      const tables = find(context);
      if (isNew) this.mutant.tables?.(tables, this.seed);
      return tables;
    });
  }

  override async connect(asked: StoreContext): Promise<StoreConnection> {
    const context = this.mutant.context?.(asked, this.seed) ?? asked;
    const connection = await super.connect(context);
    const tables = databaseOf(this.database).instance(context);
    const changes = this.mutant.connection?.(connection, { ...this.seed, tables, context });
    return changes === undefined ? connection : changed(connection, changes);
  }

  private get seed(): Seed {
    return { tookHold: this.tookHold, values: databaseOf(this.database).values };
  }
}
