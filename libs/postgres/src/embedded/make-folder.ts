import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it. `mkdir` of Node 20 with `recursive` spins for ever, and heeds no signal, where a folder that is
 * there answers ENOENT, as those of /proc do.
 * @param folder absolute
 * @throws the error of the file system
 */
export function makeFolder(folder: string): void {
  const above = dirname(folder);
  try {
    make(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    makeFolder(above);
    make(folder);
  }
}

function make(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(folder).isDirectory()) throw error;
  }
}
