import type { StoreFacts, StoreInspection } from '@mississippi/postgres/inspection';
import type { Store } from '@mississippi/core/store';
import { NotFoundError, UsageError } from '../errors.js';
import type { Settings } from '../settings/settings.js';

/**
 * Opens the app's store to look into it.
 * @throws {UsageError} when none was named, or the package is not installed
 */
export async function openStore({ storeUrl, schema }: Settings): Promise<StoreInspection> {
  if (storeUrl === undefined) {
    throw new UsageError(
      'No store was named. Put its url into MISSISSIPPI_STORE_URL (postgres://user:password@host/database), into a file (--store-url-file FILE), ' +
        'or into .mississippirc.json ({ "storeUrl": "…" }).',
    );
  }
  const { StoreInspection } = await load();
  return new StoreInspection({ connectionString: storeUrl, ...(schema === undefined ? {} : { schema }) });
}

/** The app's store, for a process that takes part in the instance without changing what the store knows of it. */
export interface InstanceStore {
  readonly store: Store;
  /** As the app has them: whoever connects writes them down. Milliseconds. */
  readonly inboxHorizon: number;
  readonly settleTime: number;
}

/**
 * Opens the store of the app's instance, which has to be there. It makes no tables.
 * @throws {UsageError}
 * @throws {NotFoundError} when the store does not know the instance
 */
export async function storeOfInstance(settings: Settings): Promise<InstanceStore> {
  const facts = await factsOf(settings);
  const { instance, storeUrl, schema } = settings;
  const known = facts.instances.find(({ name }) => name === instance);
  if (known === undefined) {
    throw new NotFoundError(
      `The store does not know the instance '${instance}' in the schema '${facts.schema}': correct --instance or --schema.`,
    );
  }
  const { postgres } = await import('@mississippi/postgres');
  const store = postgres({
    connectionString: storeUrl!,
    migrate: false,
    ...(schema === undefined ? {} : { schema }),
  });
  return { store, inboxHorizon: known.inboxHorizon, settleTime: known.settleTime };
}

async function factsOf(settings: Settings): Promise<StoreFacts> {
  const inspection = await openStore(settings);
  try {
    return await inspection.facts();
  } finally {
    await inspection.close();
  }
}

/** Only who looks into a store needs it. */
async function load(): Promise<typeof import('@mississippi/postgres/inspection')> {
  try {
    return await import('@mississippi/postgres/inspection');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UsageError(
      'To look into a store, @mississippi/postgres has to be installed beside @mississippi/cli: npm install @mississippi/postgres, or npx -p @mississippi/cli -p @mississippi/postgres mississippi …',
      { cause: error },
    );
  }
}
