import { connect, type Channel } from 'amqplib';
import { idOf, type Numbered } from '@mississippi/history';

/** Does something on a channel of its own. */
export async function onBroker<T>(url: string, work: (channel: Channel) => Promise<T>): Promise<T> {
  const model = await connect(url);
  try {
    return await work(await model.createChannel());
  } finally {
    await model.close();
  }
}

/** Takes everything out of a queue and names it. */
export async function drain(channel: Channel, queue: string): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (message === false) return texts;
    const { key, seq } = JSON.parse(message.content.toString()) as Numbered;
    texts.push(idOf(key, seq));
  }
}

/** Takes what is left out of the shards and side queues of a prefix, and names it. */
export function leftIn(url: string, prefix: string, totalCount: number): Promise<string[]> {
  return onBroker(url, async (channel) => {
    const texts: string[] = [];
    for (let shard = 0; shard < totalCount; shard++) {
      texts.push(...(await drain(channel, `${prefix}${shard}`)), ...(await drain(channel, `${prefix}${shard}.parked`)));
    }
    return texts;
  });
}

/** How many messages are left in the shards and side queues of a prefix; queues with a single active consumer tell no more. */
export function countLeft(url: string, prefix: string, totalCount: number): Promise<number> {
  return onBroker(url, async (channel) => {
    let left = 0;
    for (let shard = 0; shard < totalCount; shard++) {
      for (const queue of [`${prefix}${shard}`, `${prefix}${shard}.parked`]) {
        left += (await channel.checkQueue(queue)).messageCount;
      }
    }
    return left;
  });
}
