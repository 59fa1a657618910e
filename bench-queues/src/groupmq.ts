import { Queue, Worker } from 'groupmq';
import { Redis } from 'ioredis';
import type { Job, OpenQueue } from './queue.js';

export interface GroupmqSettings<Data> {
  readonly url: string;
  readonly namespace: string;
  /** Jobs at once, of different keys. */
  readonly concurrency: number;
  readonly handle: (job: Job<Data>) => Promise<void>;
}

/** Jobs on their way into Redis at once. */
const AT_ONCE = 1_000;

/** A key is a group of groupmq, which runs one job of a group at a time. */
export async function groupmqQueue<Data extends object>(settings: GroupmqSettings<Data>): Promise<OpenQueue<Data>> {
  const { url, namespace, concurrency, handle } = settings;
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const queue = new Queue<Data>({ redis, namespace });
  return {
    async fill(jobs) {
      for (let from = 0; from < jobs.length; from += AT_ONCE) {
        await Promise.all(
          jobs
            .slice(from, from + AT_ONCE)
            .map(({ id, key, data }, place) => queue.add({ groupId: key, jobId: id, data, orderMs: from + place })),
        );
      }
    },
    async start() {
      const worker = new Worker<Data>({
        queue,
        concurrency,
        handler: ({ id, groupId, data }) => handle({ id, key: groupId, data }),
        onError: (error) => {
          throw error;
        },
      });
      void worker.run();
    },
  };
}
