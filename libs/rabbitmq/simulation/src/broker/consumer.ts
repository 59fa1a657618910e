import type { Connection } from './connection.js';

/** Whoever consumes a shard: a process by its connection, or a stranger by his name. */
export type Consumer = Connection | string;

/** A process by its name, whatever its connection is. */
export function nameOf(consumer: Consumer): string {
  return typeof consumer === 'string' ? consumer : consumer.id.split('/')[0]!;
}
