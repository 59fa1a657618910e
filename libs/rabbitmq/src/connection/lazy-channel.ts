import type { Channel } from 'amqplib';
import type { BrokerConnection } from './broker-connection.js';
import { closeChannel, openChannel, whyClosed } from './channels.js';

export interface LazyChannelHooks {
  /** Readies a channel that has just been opened. */
  readonly prepare?: (channel: Channel) => Promise<unknown>;
  /** The channel is gone, with everything on it; and why, where the broker closed it. */
  readonly lost?: (cause: Error | undefined) => void;
}

/** A channel that is opened when somebody needs it, and anew after it was lost. */
export class LazyChannel {
  private opening: Promise<Channel> | undefined;

  constructor(
    private readonly connection: BrokerConnection,
    private readonly hooks: LazyChannelHooks = {},
  ) {
    connection.on('down', () => this.forget(this.opening));
  }

  /** The open channel. Rejects while there is no connection. */
  get(): Promise<Channel> {
    if (this.opening !== undefined) return this.opening;
    const opening = this.open((cause) => this.forget(opening, cause));
    this.opening = opening;
    opening.catch(() => this.forget(opening)); // Whoever asked is told.
    return opening;
  }

  /** Resolves when the broker has got everything that was written on the channel, if it was open: the connection's end may overtake it. */
  async close(): Promise<void> {
    const { opening } = this;
    if (opening === undefined) return;
    this.opening = undefined;
    await opening.then(closeChannel, () => undefined);
  }

  private async open(closed: (cause: Error | undefined) => void): Promise<Channel> {
    const model = this.connection.current;
    if (model === undefined) throw new Error('there is no connection');
    const channel = await openChannel(model);
    channel.on('close', () => closed(whyClosed(channel)));
    await this.hooks.prepare?.(channel);
    return channel;
  }

  private forget(opening: Promise<Channel> | undefined, cause?: Error): void {
    if (opening === undefined || this.opening !== opening) return;
    this.opening = undefined;
    this.hooks.lost?.(cause);
  }
}
