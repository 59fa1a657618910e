import type { ChannelModel } from 'amqplib';
import { addresses } from './queues.js';
import { properties, readingBody, type Wording } from './reading.js';

/** Unconfirmed messages at once. */
const WINDOW = 4_000;

/** Puts messages into the queues, round robin over the keys. Resolves when the broker has confirmed them all. */
export async function fill(
  model: ChannelModel,
  prefix: string,
  wording: Wording,
  keys: number,
  messages: number,
): Promise<void> {
  const channel = await model.createConfirmChannel();
  const all = addresses(prefix, keys);
  for (let sent = 0; sent < messages; sent++) {
    const address = all[sent % keys]!;
    channel.publish('', address.queue, readingBody(wording, sent), properties(address));
    if (sent % WINDOW === WINDOW - 1) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
  await channel.close();
}
