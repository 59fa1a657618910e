import type { Clock } from '@mississippi/core/transport';
import type { ChannelModel, ConfirmChannel, Message } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { closeChannel } from '../connection/channels.js';
import { codeOf, NOT_FOUND } from '../errors/reply-codes.js';
import type { Settings } from '../options/settings.js';
import type { Outbox } from './outbox.js';
import type { Outstanding } from './outstanding.js';
import { encodeError, largestTaken, nackedError, returnedError, tooLargeError } from './publish-errors.js';

/** Bytes that may wait in amqplib on top of its buffer. */
const MOST_AHEAD = 1_048_576;
/** About what a message has besides its body. Bytes. */
const HEAD_BYTES = 256;

/**
 * Sends what waits in the outbox on a channel in confirm mode, and tells each caller what became of its message. When the
 * channel goes, what it leaves unconfirmed is put back, and another channel begins with that.
 */
export class PublishChannel {
  private channel: ConfirmChannel | undefined;
  /** Bytes handed over since amqplib's buffer was full. It holds sixteen messages, which would make many small packets. */
  private ahead = 0;
  /** The channel is to be replaced once everything on it is answered. */
  private worn = false;
  private opening = false;
  private closed = false;

  constructor(
    private readonly outbox: Outbox,
    private readonly connection: BrokerConnection,
    private readonly settings: Settings,
    private readonly clock: Clock,
    /** A message found no queue, or the exchange is gone. */
    private readonly unroutable: () => void,
  ) {
    connection.on('up', (model) => void this.open(model));
    connection.on('down', () => this.interrupted());
  }

  /** From now on no other channel is opened. */
  close(): void {
    this.closed = true;
  }

  /** Sends what waits, as far as it may. */
  send(): void {
    const { channel, outbox } = this;
    while (
      channel !== undefined &&
      !this.worn &&
      this.ahead < MOST_AHEAD &&
      outbox.unconfirmed.size < this.settings.publishBuffer &&
      !this.connection.blocked
    ) {
      const outstanding = outbox.take();
      if (outstanding === undefined) return;
      try {
        const { exchange, queue, body, options } = outstanding.message;
        const fits = channel.publish(exchange, queue, body, options, (error: unknown) => {
          if (this.channel === channel) this.confirmed(outstanding, error);
        });
        this.ahead = fits ? 0 : this.ahead + body.length + HEAD_BYTES;
      } catch (error) {
        if (this.channel !== channel || channelIsClosed(error)) {
          outbox.untake(outstanding);
          return;
        }
        outbox.remove(outstanding);
        outstanding.finish(encodeError(error));
      }
    }
  }

  private async open(model: ChannelModel): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    try {
      const channel = await model.createConfirmChannel();
      channel.on('error', (error: Error) => this.channelFailed(channel, error)); // 'close' follows.
      channel.on('close', () => this.channelClosed(channel));
      channel.on('return', (message: Message) => this.markReturned(message));
      channel.on('drain', () => {
        this.ahead = 0;
        this.send();
      });
      this.channel = channel;
      this.ahead = 0;
      this.send();
    } catch {
      // The connection went in between; its next 'up' opens a channel.
    } finally {
      this.opening = false;
    }
  }

  private confirmed(outstanding: Outstanding, error: unknown): void {
    this.outbox.remove(outstanding);
    if (outstanding.returned) {
      this.unroutable();
      outstanding.finish(returnedError(outstanding.message.queue));
    } else if (error === null || error === undefined) {
      outstanding.finish();
    } else {
      outstanding.finish(nackedError(error));
      this.worn = this.settings.quorum;
    }
    if (this.worn && this.outbox.unconfirmed.size === 0) this.renew();
    else this.send();
  }

  /**
   * A channel that came to a quorum queue in the middle of an election goes on to refuse every message to it for as long
   * as the lost leader is away (RabbitMQ 3.10); a new channel finds the new leader. Nothing is unconfirmed, so nothing is
   * sent twice.
   */
  private renew(): void {
    const channel = this.channel!;
    this.interrupted();
    void closeChannel(channel); // Then another is opened.
  }

  /** A return comes before the confirm of the same message, and returns come in the order of the messages. */
  private markReturned(message: Message): void {
    const { messageId } = message.properties as { messageId?: string };
    for (const outstanding of this.outbox.unconfirmed) {
      if (outstanding.returned || outstanding.message.queue !== message.fields.routingKey) continue;
      if (outstanding.message.options.messageId !== messageId) continue;
      outstanding.returned = true;
      return;
    }
  }

  /** The broker closes the channel over what it refuses. Sending the same again would never end; the rest is sent again. */
  private channelFailed(channel: ConfirmChannel, error: Error): void {
    if (this.channel !== channel) return;
    if (codeOf(error) === NOT_FOUND) this.unroutable(); // The exchange was deleted.
    const most = largestTaken(error);
    if (most !== undefined) this.refuseLargerThan(most, error);
    // Before amqplib tells each unconfirmed message that it failed: whether it did is not known.
    this.interrupted();
  }

  private refuseLargerThan(most: number, cause: Error): void {
    for (const outstanding of this.outbox.unconfirmed) {
      const { length } = outstanding.message.body;
      if (length <= most) continue;
      this.outbox.remove(outstanding);
      outstanding.finish(tooLargeError(length, most, cause));
    }
  }

  private channelClosed(channel: ConfirmChannel): void {
    if (this.channel === channel) this.interrupted();
    // Not at once: while the reason lasts, this would spin as fast as the network allows.
    const reopen = (): void => {
      const model = this.connection.current;
      if (this.channel === undefined && model !== undefined && !this.closed) void this.open(model);
    };
    this.clock.after(this.settings.reconnect.initial, reopen, true);
  }

  /** Everything unconfirmed is sent again first, in its order. */
  private interrupted(): void {
    this.channel = undefined;
    this.worn = false;
    this.outbox.putBack();
  }
}

/** amqplib throws synchronously on a channel that is closed. */
function channelIsClosed(error: unknown): boolean {
  return error instanceof Error && error.name === 'IllegalOperationError';
}
