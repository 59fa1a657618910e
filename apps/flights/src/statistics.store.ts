import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Keyv, type KeyvStoreAdapter } from 'keyv';
import type { AirportStatistics } from './airport-statistics.js';
import { LevelStore } from './level.store.js';
import { describe } from './output.js';

const NAMESPACE = 'flights';

/** How long to wait for a store that does not answer at the start. Milliseconds. */
const CONNECTION_TIMEOUT = 5_000;

/** Not among the dependencies: who wants a lasting store installs it. */
const REDIS_ADAPTER = '@keyv/redis';

/** What `--store` takes, for the usage. */
export const STORES = 'memory, a folder as ./path or level:///path, or redis://host:port';

/** A store that cannot be had; the message says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/** Whether `--store` knows the url; whether it can be had, `StatisticsStore.open` finds out. */
export function isStore(url: string): boolean {
  return url === 'memory' || folderOf(url) !== undefined || (/^rediss?:/.test(url) && URL.canParse(url));
}

/** The folder that is meant. A plain path has a slash, so that a misspelt word makes no folder. */
function folderOf(url: string): string | undefined {
  if (/^level:\/\/\/./.test(url)) return fileURLToPath(url.replace(/^level:/, 'file:'));
  return url.includes('/') && !/^\w+:/.test(url) ? url : undefined;
}

/** Keeps every airport's statistics beyond the life of its data updater. */
@Injectable()
export class StatisticsStore implements OnApplicationShutdown {
  constructor(private readonly keyv: Keyv<AirportStatistics>) {}

  /**
   * @param url `memory`, or the url of a lasting store
   * @throws {StoreError} when the adapter is not installed, or the store cannot be reached or is in use
   */
  static async open(url: string): Promise<StatisticsStore> {
    // Without throwOnErrors Keyv reports a failed write by an event only: the flight would be acked and not stored.
    const options = { namespace: NAMESPACE, throwOnErrors: true };
    if (url === 'memory') return new StatisticsStore(new Keyv<AirportStatistics>(options));
    const folder = folderOf(url);
    const store = folder === undefined ? await openRedis(url) : await openFolder(folder);
    const keyv = new Keyv<AirportStatistics>({ ...options, store });
    // One listener, or the adapter's errors are uncaught; each of them also fails the call that it belongs to.
    keyv.on('error', () => undefined);
    try {
      await keyv.get('');
    } catch (error) {
      await keyv.disconnect().catch(() => undefined);
      throw new StoreError(`The store ${url} cannot be reached: start it, or correct the url.`, { cause: error });
    }
    return new StatisticsStore(keyv);
  }

  async load(airport: string): Promise<AirportStatistics | undefined> {
    return this.keyv.get(airport);
  }

  /** Resolves when the store has it; whoever waits for that may ack. */
  async save(statistics: AirportStatistics): Promise<void> {
    const stored = await this.keyv.set(statistics.airport, statistics);
    if (!stored) throw new Error(`The store did not take the statistics of ${statistics.airport}.`);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.keyv.disconnect();
  }
}

async function openFolder(folder: string): Promise<KeyvStoreAdapter> {
  try {
    await mkdir(folder, { recursive: true });
    return await LevelStore.open(folder);
  } catch (error) {
    // Level's own error says only that the database is not open; its cause says why.
    const cause = (error as Error).cause ?? error;
    const [reason] = describe(cause).split('\n');
    throw new StoreError(
      isLocked(cause)
        ? `The store ${folder} is in use by another process: end it, or take another folder.`
        : `The store ${folder} cannot be opened (${reason}): take a folder that can be written to.`,
      { cause: error },
    );
  }
}

function isLocked(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'LEVEL_LOCKED';
}

type RedisAdapter = new (
  client: { url: string; disableOfflineQueue: boolean },
  options: { throwOnErrors: boolean; throwOnConnectError: boolean; connectionTimeout: number },
) => KeyvStoreAdapter;

/** The adapter is loaded when asked for, so that the sample does not need it. */
async function openRedis(url: string): Promise<KeyvStoreAdapter> {
  // In a variable, because TypeScript looks for what is imported by a literal.
  const adapter: string = REDIS_ADAPTER;
  let KeyvRedis: RedisAdapter;
  try {
    ({ default: KeyvRedis } = (await import(adapter)) as { default: RedisAdapter });
  } catch (error) {
    if (!isNotInstalled(error)) throw error;
    throw new StoreError(`The store ${url} needs a package: npm install ${adapter}@5 --workspace flights`, {
      cause: error,
    });
  }
  return new KeyvRedis(
    // A write fails at once while the connection is away: the library's retries wait for it, not a queue in here.
    { url, disableOfflineQueue: true },
    { throwOnErrors: true, throwOnConnectError: true, connectionTimeout: CONNECTION_TIMEOUT },
  );
}

function isNotInstalled(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
