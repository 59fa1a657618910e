import { StoreAccessError } from '@mississippi/core';
import { reasonOf } from '../errors/reason.js';

/** The folder cannot be had; the system's own error names path and call. */
export function unusable(folder: string, error: unknown): StoreAccessError {
  const { code } = error as NodeJS.ErrnoException;
  return new StoreAccessError(
    ['EACCES', 'EPERM', 'EROFS'].includes(code ?? '') ? 'permission' : 'configuration',
    `The folder ${folder} cannot be used for a PGlite (${reasonOf(error)}): take one that this process can write to.`,
    { cause: error },
  );
}

/** There are files in it, and they are no PGlite that this release can open. */
export function damaged(files: string, error: unknown): StoreAccessError {
  return new StoreAccessError(
    'configuration',
    `The PGlite in ${files} cannot be opened (${reasonOf(error)}): it is damaged, or another release's. Take another folder, or restore it.`,
    { cause: error },
  );
}

export function notInstalled(error: unknown): StoreAccessError {
  return new StoreAccessError(
    'configuration',
    `A store in a folder needs a package that is not there: npm install @electric-sql/pglite (${reasonOf(error)}).`,
    { cause: error },
  );
}
