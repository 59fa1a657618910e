import { PgBoss } from 'pg-boss';
import type { Job, OpenQueue } from './queue.js';

/** A statement in the transaction that completes the jobs. */
export type RunSql = (sql: string, values: unknown[]) => Promise<unknown>;

export interface PgBossSettings<Data> {
  readonly url: string;
  readonly schema: string;
  /** Jobs of different keys that are handled, and completed, in one transaction. */
  readonly batch: number;
  readonly workers: number;
  readonly handle: (jobs: readonly Job<Data>[], run: RunSql) => Promise<void>;
}

const QUEUE = 'readings';

/** `key_strict_fifo`: at most one job of a key is active, and a failed one holds up its key. */
export async function pgBossQueue<Data extends object>(settings: PgBossSettings<Data>): Promise<OpenQueue<Data>> {
  const { url, schema, batch, workers, handle } = settings;
  const boss = new PgBoss({ connectionString: url, schema, max: workers * 2 + 2, schedule: false });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue(QUEUE, { policy: 'key_strict_fifo', retryLimit: 0 });
  return {
    async fill(jobs) {
      // It puts jobs of one statement in the order of their ids; those of several in the order of their time.
      const statements: Job<Data>[][] = [];
      let keys = new Set<string>();
      for (const job of jobs) {
        if (statements.length === 0 || keys.has(job.key) || statements.at(-1)!.length === 1_000) {
          statements.push([]);
          keys = new Set();
        }
        keys.add(job.key);
        statements.at(-1)!.push(job);
      }
      for (const together of statements) {
        await boss.insert(
          QUEUE,
          together.map(({ id, key, data }) => ({ id, singletonKey: key, data })),
        );
      }
    },
    async start() {
      const options = {
        transactional: true,
        includeMetadata: true,
        batchSize: batch,
        localConcurrency: workers,
        burstWhenBatchFull: true,
        pollingIntervalSeconds: 0.5,
      } as const;
      await boss.work<Data, void, typeof options>(QUEUE, options, (jobs, transaction) =>
        handle(
          jobs.map(({ id, singletonKey, data }) => ({ id, key: singletonKey!, data })),
          (sql, values) => transaction.executeSql(sql, values),
        ),
      );
    },
  };
}
