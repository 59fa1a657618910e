import { createHash } from 'node:crypto';
import { StoreInUseError } from '@mississippi/core';
import { askText } from './client.js';
import type { Lease } from './lease.js';
import type { OwnPool } from './server-pools.js';

/**
 * Claims by advisory locks of sessions: they end with the connection, however the process ends. One that was lost with its
 * connection is taken again before anything else is asked.
 */
export class Claims {
  private readonly held = new Map<string, Lease>();

  constructor(
    private readonly pool: OwnPool,
    private readonly requestTimeout: number,
  ) {}

  /** @throws {StoreInUseError} */
  async take(name: string): Promise<void> {
    const lease = await this.pool.keep();
    let taken = false;
    try {
      // The server is to notice within half a minute that a machine has vanished.
      const answers = await askText(
        lease.client,
        `SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4; ` +
          // From PostgreSQL 14 on.
          `SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'; ` +
          `SELECT pg_try_advisory_lock(${lockNumber(name)})`,
        this.requestTimeout,
      );
      taken = answers.at(-1)!.rows[0]![0] === true;
    } finally {
      if (!taken) lease.destroy();
    }
    if (!taken) throw new StoreInUseError(`${name} is open in another process, and is for one alone: end the other.`);
    this.held.set(name, lease);
  }

  /** Takes again what was lost. */
  async renew(): Promise<void> {
    for (const [name, { lost }] of this.held) {
      if (lost !== undefined) await this.take(name);
    }
  }
}

/** Advisory locks have numbers of 64 bits. */
function lockNumber(name: string): bigint {
  return createHash('sha256').update(`mississippi ${name}`).digest().readBigInt64BE(0);
}
