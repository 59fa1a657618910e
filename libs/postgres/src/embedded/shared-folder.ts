import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { Queue } from '../database/queue.js';
import { claimFolder } from './folder-lock.js';
import { openFiles, type OwnPglite } from './pglite-files.js';
import { makeFolder } from './make-folder.js';
import type { OpenPglite } from './pglite-source.js';
import { unusable } from './folder-errors.js';

/** A folder's PGlite, which is one session and may be opened once only, for all stores of this process. */
interface Shared {
  readonly pglite: OwnPglite;
  readonly giveUp: () => Promise<void>;
  users: number;
}

const shared = new Map<string, Shared>();
const turns = new Queue();

/**
 * The PGlite of a folder, which is made if need be, and opened only when the folder is claimed: whoever opens one that is in use
 * damages it.
 * @throws {StoreInUseError} when another process has it; the folder is not touched
 * @throws {StoreAccessError} when there can be none
 */
export function shareFolder(folder: string): Promise<OpenPglite> {
  return turns.run(async () => {
    const path = made(folder);
    const known = shared.get(path) ?? (await open(path));
    shared.set(path, known);
    known.users++;
    return { pglite: known.pglite, giveBack: () => turns.run(() => giveBack(path, known)) };
  });
}

async function open(path: string): Promise<Shared> {
  const giveUp = await claimFolder(path);
  try {
    return { pglite: await openFiles(path), giveUp, users: 0 };
  } catch (error) {
    await giveUp();
    throw error;
  }
}

async function giveBack(path: string, known: Shared): Promise<void> {
  if (--known.users > 0) return;
  shared.delete(path);
  try {
    await known.pglite.close();
  } finally {
    await known.giveUp();
  }
}

function made(folder: string): string {
  try {
    makeFolder(resolve(folder));
    return realpathSync(folder);
  } catch (error) {
    throw unusable(resolve(folder), error);
  }
}
