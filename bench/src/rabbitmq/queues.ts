import { shardOfEncoded } from '@mississippi/core/transport';
import { encodeTerm } from '@mississippi/terms';
import { connect, type ChannelModel, type Options } from 'amqplib';
import { keyName, SHARDS } from '../process/keys.js';

/** Most unsettled deliveries of one queue, on every side. */
export const PREFETCH = 300;

export type QueueType = 'classic' | 'quorum';

/** As the library declares its shards, for every contender the same. */
function argumentsOf(type: QueueType): Options.AssertQueue {
  if (type === 'classic') return { durable: true };
  return {
    durable: true,
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 2_147_483_647, 'x-single-active-consumer': true },
  };
}

export function queueNames(prefix: string): string[] {
  return Array.from({ length: SHARDS }, (_, index) => `${prefix}${index}`);
}

/** A key as it travels, and its queue. */
export interface Address {
  readonly name: string;
  readonly key: Buffer;
  readonly queue: string;
}

export function addresses(prefix: string, keys: number): Address[] {
  return Array.from({ length: keys }, (_, index) => {
    const name = keyName(index);
    const key = Buffer.from(encodeTerm(name));
    return { name, key, queue: `${prefix}${shardOfEncoded(key, SHARDS)}` };
  });
}

export async function openConnection(url: string): Promise<ChannelModel> {
  return connect(url, { noDelay: true });
}

/** Declares the queues and empties them. */
export async function emptyQueues(model: ChannelModel, prefix: string, type: QueueType): Promise<void> {
  const channel = await model.createChannel();
  for (const queue of queueNames(prefix)) {
    // Deleted, not purged: what a consumer that has just ended had not acked might come back after a purge.
    await channel.deleteQueue(queue);
    await channel.assertQueue(queue, argumentsOf(type));
  }
  await channel.close();
}
