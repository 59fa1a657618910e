import { connect } from 'amqplib';

/** Messages in the shards and side queues of a prefix, delivered and unsettled ones left out. */
export async function messagesIn(url: string, prefix: string, shards: number): Promise<number> {
  const model = await connect(url);
  model.on('error', () => undefined);
  try {
    const channel = await model.createChannel();
    let messages = 0;
    for (let shard = 0; shard < shards; shard++) {
      for (const queue of [`${prefix}${shard}`, `${prefix}${shard}.parked`]) {
        try {
          messages += (await channel.checkQueue(queue)).messageCount;
        } catch {
          return messages; // There is no such queue, and the channel is gone with the question.
        }
      }
    }
    return messages;
  } finally {
    await model.close().catch(() => undefined);
  }
}

/** Messages in the shard that has the fewest of them, delivered and unsettled ones left out. */
export async function fewestIn(url: string, prefix: string, shards: number): Promise<number> {
  const model = await connect(url);
  try {
    const channel = await model.createChannel();
    const names = Array.from({ length: shards }, (_, shard) => `${prefix}${shard}`);
    const queues = await Promise.all(names.map((name) => channel.checkQueue(name)));
    return Math.min(...queues.map(({ messageCount }) => messageCount));
  } finally {
    await model.close();
  }
}
