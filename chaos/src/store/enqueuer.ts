import { setTimeout as sleep } from 'node:timers/promises';
import type { EventsProducer } from '@mississippi/core';
import type { ProcessPlan } from '../protocol.js';
import { bookingOf, isRolledBack, messageIdOf, type Booking } from './bookings.js';
import { ENQUEUED } from './own-tables.js';

/** How long a publisher waits before it tries again. Milliseconds. */
const BETWEEN_TRIES = 200;

export interface Client {
  query(sql: string, params?: unknown[]): Promise<{ readonly rows: readonly object[] }>;
}

/** Transactions of a service's own. */
export interface Transactions {
  /** @throws when it is not known whether it committed */
  run<T>(work: (client: Client) => Promise<T>, how: 'commit' | 'rollback'): Promise<T>;
}

/** Publishes with transactions of a service's own, one after the other, each until it is known to have committed. */
export class Enqueuer {
  private readonly waiting: string[] = [];
  private readonly numbers = new Map<string, number>();
  private working = false;

  constructor(
    private readonly producer: EventsProducer,
    private readonly plan: ProcessPlan,
    private readonly transactions: Transactions,
    private readonly payloadOf: (booking: Booking) => unknown,
  ) {}

  get idle(): boolean {
    return this.waiting.length === 0 && !this.working;
  }

  get backlog(): number {
    return this.waiting.length;
  }

  add(key: string): void {
    this.waiting.push(key);
    if (!this.working) void this.work();
  }

  private async work(): Promise<void> {
    this.working = true;
    for (let key = this.waiting[0]; key !== undefined; key = this.waiting[0]) {
      try {
        await this.enqueue(key);
        this.waiting.shift();
      } catch (error) {
        console.error(`a transaction for ${key} is tried again: ${String(error)}`);
        await sleep(BETWEEN_TRIES);
      }
    }
    this.working = false;
  }

  private async enqueue(key: string): Promise<void> {
    const { transactions } = this;
    const seq = this.numbers.get(key) ?? (await transactions.run((client) => nextOf(client, key), 'commit'));
    if (isRolledBack(key, seq, this.plan)) {
      await transactions.run((client) => this.publish(client, key, seq, 'never'), 'rollback');
    }
    await transactions.run(async (client) => {
      // Waits for a transaction of before whose outcome was not heard of, and tells it.
      const sql = `INSERT INTO ${ENQUEUED} (key, seq) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING seq`;
      const { rows } = await client.query(sql, [key, seq]);
      if (rows.length === 1) await this.publish(client, key, seq, 'once');
    }, 'commit');
    this.numbers.set(key, seq + 1);
  }

  private publish(client: Client, key: string, seq: number, how: 'once' | 'never'): Promise<void> {
    const booking = bookingOf('enqueued', key, seq, this.plan)!;
    const id = messageIdOf('enqueued', key, seq);
    const [message, messageId] = how === 'once' ? [booking, id] : [{ ...booking, amount: 1_000_000 }, `never-${id}`];
    return this.producer.publish(this.payloadOf(message), { shardingKey: key, messageId, transaction: client });
  }
}

async function nextOf(client: Client, key: string): Promise<number> {
  const sql = `SELECT coalesce(max(seq) + 1, 0) AS next FROM ${ENQUEUED} WHERE key = $1`;
  return ((await client.query(sql, [key])).rows[0] as { next: number }).next;
}
