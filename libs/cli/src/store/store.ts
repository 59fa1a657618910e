import type { StoreInspection } from '@mississippi/postgres/inspection';
import { UsageError } from '../errors.js';
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
