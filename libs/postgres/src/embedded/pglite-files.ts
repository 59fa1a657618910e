import { accessSync, constants, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { damaged, notInstalled, unusable } from './folder-errors.js';
import type { Pglite } from './pglite.js';

/** One that the store opened, and closes. */
export interface OwnPglite extends Pglite {
  close(): Promise<void>;
}

/** Where the files are, in the folder. */
const FILES = 'pglite';
/** Where they are made: whoever is killed meanwhile leaves no half of them in their place. */
const UNFINISHED = `${FILES}.new`;

/**
 * Opens the PGlite in a folder that nobody else has open, and makes it if there is none.
 * @throws {StoreAccessError}
 */
export async function openFiles(folder: string): Promise<OwnPglite> {
  const open = await loaded();
  const files = join(folder, FILES);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    if (!existsSync(files)) {
      const unfinished = join(folder, UNFINISHED);
      rmSync(unfinished, { recursive: true, force: true });
      await (await open(unfinished)).close();
      renameSync(unfinished, files);
    }
  } catch (error) {
    throw unusable(folder, error);
  }
  if (!existsSync(join(files, 'PG_VERSION'))) throw damaged(files, 'there is no PG_VERSION in it');
  try {
    return await open(files);
  } catch (error) {
    throw damaged(files, error);
  }
}

type Open = (folder: string) => Promise<OwnPglite>;

/** The package is an optional peer: it is there only where somebody wants it. */
async function loaded(): Promise<Open> {
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    return async (folder) => {
      const pglite: unknown = await PGlite.create(folder);
      return pglite as OwnPglite;
    };
  } catch (error) {
    throw notInstalled(error);
  }
}
