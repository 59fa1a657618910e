import { StoreAccessError } from '@mississippi/core';
import { SQL_STATE, sqlStateOf } from '../errors/sql-states.js';
import { askForHandler } from './client.js';
import { Lease, type ClientSource } from './lease.js';

/**
 * Looks whether an app's pool can be told to take one statement at a time. Behind another, a handler could end its transaction unseen.
 * @throws {StoreAccessError}
 */
export async function checkPool(source: ClientSource): Promise<void> {
  const lease = await Lease.take(source);
  try {
    await askForHandler(lease.client, 'SELECT 1; SELECT 2', []);
  } catch (error) {
    if (sqlStateOf(error) !== SQL_STATE.syntaxError) {
      lease.destroy();
      throw error;
    }
    lease.release();
    return;
  }
  lease.release();
  throw new StoreAccessError(
    'configuration',
    'The pool is of a release of pg that has no queryMode for its queries: upgrade pg, 8.12 or newer is needed.',
  );
}
