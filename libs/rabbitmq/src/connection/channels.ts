import type { Channel, ChannelModel } from 'amqplib';

/** Opens a channel. Its errors reach the calls that fail, and whoever listens to its end. */
export async function openChannel(model: ChannelModel): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on('error', () => undefined); // 'close' follows, and the call that failed rejects.
  return channel;
}

/** Runs something on a channel of its own. An error of the broker closes only that channel. */
export async function onChannel<T>(model: ChannelModel, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await openChannel(model);
  try {
    return await work(channel);
  } finally {
    await closeChannel(channel);
  }
}

/**
 * Closes a channel. Resolves when it is closed, whatever closed it: the promise of amqplib 2.3 stays open for ever when
 * the connection goes before the broker has answered.
 */
export async function closeChannel(channel: Channel): Promise<void> {
  const closed = new Promise<void>((resolve) => channel.once('close', resolve));
  await Promise.race([channel.close(), closed]).catch(() => undefined); // It may be closed already.
}
