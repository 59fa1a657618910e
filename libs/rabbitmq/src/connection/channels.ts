import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { reasonOf } from '../errors/reason.js';

/** What amqplib 2.3 keeps on a channel; its types leave it out. */
interface Inner {
  /** Requests that wait to be sent; none once it is closed. */
  readonly pending: unknown[] | null;
}

/** Why the broker closed a channel. */
const reasons = new WeakMap<Channel, Error>();

/** Opens a channel. Its errors reach the calls that fail, and whoever listens to its end. */
export async function openChannel(model: ChannelModel): Promise<Channel> {
  return watched(await model.createChannel());
}

/** The same in confirm mode. */
export async function openConfirmChannel(model: ChannelModel): Promise<ConfirmChannel> {
  return watched(await model.createConfirmChannel());
}

/** Why the broker closed a channel; `undefined` where it did not. */
export function whyClosed(channel: Channel): Error | undefined {
  return reasons.get(channel);
}

/**
 * That a channel was closed, with the broker's reason where it did that.
 * @param purpose what it was the channel of
 */
export function closedChannel(purpose: string, channel: Channel): Error {
  const cause = whyClosed(channel);
  const why = cause === undefined ? '' : `: ${reasonOf(cause)}`;
  return new Error(`the channel of ${purpose} was closed${why}`, { cause });
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

/** @throws where it was closed in the packet that opened it: its 'close' came before anybody could listen */
function watched<T extends Channel>(channel: T): T {
  channel.on('error', (error: Error) => reasons.set(channel, error)); // 'close' follows, and the call that failed rejects.
  if ((channel as unknown as Inner).pending === null) throw new Error('the channel was closed as it opened');
  return channel;
}
