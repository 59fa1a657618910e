import { claimFolder } from './folder-lock.js';
import { folderOf, type Pglite } from './pglite.js';

/** A PGlite that may be used until it is given back. */
export interface OpenPglite {
  readonly pglite: Pglite;
  giveBack(): Promise<void>;
}

/** The user's own, which the store leaves open. Keeps other processes from its folder. */
export async function givenPglite(pglite: Pglite): Promise<OpenPglite> {
  await pglite.waitReady;
  const folder = folderOf(pglite);
  const giveBack = folder === undefined ? async () => undefined : await claimFolder(folder);
  return { pglite, giveBack };
}
