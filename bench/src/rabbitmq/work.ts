import type { Column } from '../harness/comparison.js';
import { rateOf } from '../harness/measurement.js';
import { SHARDS } from '../process/keys.js';
import { PREFETCH } from './queues.js';

/** How long a handler works. Milliseconds. */
export const WORK = 5;

export const WORK_KEYS = [1, 10, 20, 100, 1_000, 10_000] as const;

/** The rate as a share of what handlers that take 5 ms allow: one per key, and no more than the broker delivers. */
export function perUnit(keys: number): Column {
  const limit = (Math.min(keys, SHARDS * PREFETCH) / WORK) * 1_000;
  return { title: 'of keys / 5 ms', digits: 2, of: (measurement) => rateOf(measurement) / limit };
}
