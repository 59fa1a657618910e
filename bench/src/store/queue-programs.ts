import { randomUUID } from 'node:crypto';
import { groupmqQueue, type Job, type OpenQueue, pgBossQueue } from 'bench-queues';
import { Pool } from 'pg';
import { keyName } from '../process/keys.js';
import type { Reading } from '../rabbitmq/reading.js';
import { readingBody } from '../rabbitmq/reading.js';
import { BareWrites } from './bare-writes.js';
import { Totals } from './state.js';

/** Jobs of groupmq at once, as many as transactions of the bare program. */
const AT_ONCE = 16;

/** Jobs of pg-boss in one transaction, and workers. What was fastest of what was tried. */
const BATCH = 100;
const WORKERS = 4;

export interface QueueSetup {
  readonly database: string;
  readonly schema: string;
  /** URL of Redis. */
  readonly redis: string;
  readonly keys: number;
  /** Called with how many jobs were handled. */
  readonly handled: (count: number) => void;
}

type OpenProgram = (setup: QueueSetup) => Promise<OpenQueue<Reading>>;

/** The queue is in the database: the state is written in the transaction that completes the jobs, whose ids are the inbox. */
const pgBoss: OpenProgram = ({ database, schema, keys, handled }) => {
  const totals = new Totals();
  return pgBossQueue<Reading>({
    url: database,
    schema: `${schema}_boss`,
    // A batch has one job of each key: with one key a batch of more is never full, and whoever has no full one waits.
    batch: keys === 1 ? 1 : BATCH,
    workers: keys === 1 ? 1 : WORKERS,
    handle: async (jobs, run) => {
      await run(
        `INSERT INTO ${schema}.states (key, state) SELECT * FROM unnest($1::text[], $2::bytea[])
ON CONFLICT (key) DO UPDATE SET state = excluded.state`,
        [jobs.map(({ key }) => key), jobs.map(({ key, data }) => totals.add(key, data))],
      );
      handled(jobs.length);
    },
  });
};

/** The queue is in Redis: a handler writes to the database what the bare program does. */
const groupmq: OpenProgram = ({ database, schema, redis, handled }) => {
  const totals = new Totals();
  const writes = new BareWrites(new Pool({ connectionString: database, max: AT_ONCE }), schema);
  return groupmqQueue<Reading>({
    url: redis,
    // What another run has left, a job under way too, is not to hold up this one.
    namespace: randomUUID(),
    concurrency: AT_ONCE,
    handle: async ({ id, key, data }) => {
      await writes.inTransaction({ id, key, sequence: data.sequence, state: totals.add(key, data) });
      handled(1);
    },
  });
};

export const QUEUES = { 'pg-boss': pgBoss, groupmq } satisfies Record<string, OpenProgram>;

export type QueueName = keyof typeof QUEUES;

/** Jobs round robin over the keys, with what messages carry. */
export function jobsFor(keys: number, count: number): Job<Reading>[] {
  return Array.from({ length: count }, (_, sequence) => ({
    id: randomUUID(),
    key: keyName(sequence % keys),
    data: JSON.parse(readingBody('plain', sequence).toString()) as Reading,
  }));
}
