import pg from 'pg';
import type { Settings } from '../options/settings.js';
import type { Client } from './client.js';
import { listen, TidyClient } from './tidy-client.js';
import { Lease, type ClientSource } from './lease.js';

/** How long a connection that nobody needs is kept. Milliseconds. */
const IDLE = 60_000;
/** Clients of a pool of pg whose size is not said. */
const PG_POOL_SIZE = 10;

/** One for the committer, and one for handlers: these can be busy for as long as they like. */
export interface ServerPools {
  readonly committer: OwnPool;
  readonly handlers: ClientSource;
  /** Clients that handlers get at once. */
  readonly most: number;
  close(): Promise<void>;
}

/** A pool of our own, which can be ended at once. */
export class OwnPool implements ClientSource {
  private readonly leases = new Set<Lease>();

  constructor(private readonly pool: pg.Pool) {
    pool.on('error', () => undefined); // An idle connection has ended: the next question opens another.
  }

  connect(): Promise<Client> {
    return this.pool.connect();
  }

  /** Works with a client, which `close` takes away. */
  async use<T>(work: (client: Client) => Promise<T>, isUsable: (error: unknown) => boolean): Promise<T> {
    const lease = await Lease.take(this);
    this.leases.add(lease);
    try {
      const result = await work(lease.client);
      lease.release();
      return result;
    } catch (error) {
      if (isUsable(error)) lease.release();
      else lease.destroy();
      throw error;
    } finally {
      this.leases.delete(lease);
    }
  }

  /** A client that stays out until it is given back. */
  async keep(): Promise<Lease> {
    const lease = await Lease.take(this);
    this.leases.add(lease);
    return lease;
  }

  async close(): Promise<void> {
    const ended = this.pool.end();
    for (const lease of this.leases) lease.destroy();
    await ended;
  }
}

export function openPools(settings: Settings): ServerPools {
  const { place } = settings;
  if (place.kind === 'pglite' || place.kind === 'folder') throw new Error('A PGlite has no pools.');
  const shared = {
    Client: TidyClient,
    connectionTimeoutMillis: settings.connectTimeout,
    idleTimeoutMillis: IDLE,
    keepAlive: true,
  };
  const given = place.kind === 'pool' ? withSecrets(place.pool.options) : place.address();
  // One more than questions need: a claim of the instance holds one.
  const committer = new OwnPool(
    steadyPlans(new pg.Pool({ ...given, ...shared, min: 0, max: settings.committer + 1 }), settings),
  );
  if (place.kind === 'pool') {
    const pool = place.pool as unknown as ClientSource & Partial<Pick<pg.Pool, 'on' | 'off'>>;
    pool.on?.('connect', listen);
    const close = (): Promise<void> => {
      pool.off?.('connect', listen);
      return committer.close();
    };
    const { max } = place.pool.options as { max?: unknown };
    return { committer, handlers: pool, most: typeof max === 'number' ? max : PG_POOL_SIZE, close };
  }
  const handlers = new OwnPool(new pg.Pool({ ...given, ...shared, max: settings.transactions }));
  return {
    committer,
    handlers,
    most: settings.transactions,
    close: async () => void (await Promise.all([committer.close(), handlers.close()])),
  };
}

/** pg hides the password from whoever copies or prints the options. */
function withSecrets(options: object & { password?: unknown; ssl?: unknown }): pg.PoolConfig {
  const { password } = options;
  return { ...options, ...(password === undefined ? {} : { password }) } as pg.PoolConfig;
}

/**
 * A plan that the server keeps for a prepared statement was made for the tables as they were. While they are almost empty, reading
 * all of a table looks cheapest, and stays the plan when they are large, until they are analyzed. All statements here find rows by
 * an index, whatever the values are: to plan them for the values of the first uses is work for nothing. Behind PgBouncer, where `prepare` is off, settings would stay with a connection that others get.
 */
function steadyPlans(pool: pg.Pool, { prepare }: Settings): pg.Pool {
  if (!prepare) return pool;
  pool.on('connect', (client) => {
    client
      .query('SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan')
      .catch(() => undefined); // The question behind it tells.
  });
  return pool;
}
