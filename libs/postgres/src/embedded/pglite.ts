import type { Row } from '../values/row.js';

/** One statement's answer. */
export interface PgliteAnswer {
  readonly command?: string;
  readonly rows: readonly unknown[];
  readonly affectedRows?: number;
}

/** How answers are wanted. */
export interface PgliteQueryOptions {
  readonly rowMode?: 'array';
  readonly parsers?: Record<number, (text: string) => Row[number]>;
}

export interface PgliteTransaction {
  exec(sql: string, options?: PgliteQueryOptions): Promise<readonly PgliteAnswer[]>;
  query(sql: string, params: unknown[]): Promise<PgliteAnswer>;
}

/** What is used of a PGlite (0.5), written down here so that the package need not be there. */
export interface Pglite {
  readonly dataDir?: string;
  readonly waitReady?: Promise<void>;
  exec(sql: string, options?: PgliteQueryOptions): Promise<readonly PgliteAnswer[]>;
  transaction<T>(callback: (transaction: PgliteTransaction) => Promise<T>): Promise<T>;
}

/** The folder that it keeps its files in; `undefined` where it keeps none that another process could open. */
export function folderOf({ dataDir }: Pglite): string | undefined {
  if (dataDir === undefined || dataDir === '' || /^(memory|idb|opfs-ahp):/.test(dataDir)) return undefined;
  return dataDir.replace(/^file:\/\//, '');
}

/** PGlite shows in its errors what was asked, which is what messages and states hold. */
export async function withoutContent<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    for (const name of ['query', 'params', 'queryOptions']) Reflect.deleteProperty(error as object, name);
    throw error;
  }
}
