import type { LoggerService } from '@nestjs/common';
import { LogLimit, type Clock, type Timer } from '@mississippi/core/transport';
import type { ChannelModel, ConfirmChannel, Message } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { openConfirmChannel, whyClosed } from '../connection/channels.js';
import { reasonOf } from '../errors/reason.js';
import { codeOf, CONNECTION_FORCED, NOT_FOUND } from '../errors/reply-codes.js';
import type { RabbitMqAccessError } from '../errors/rabbitmq.errors.js';
import type { Settings } from '../options/settings.js';
import { explainRight } from '../topology/rights.js';
import { headerFrameBytes, LARGEST_HEADER_FRAME } from '../wire/header-frame.js';
import type { Outbox } from './outbox.js';
import type { Outstanding } from './outstanding.js';
import {
  deniedError,
  encodeError,
  isNack,
  largestTaken,
  nackedError,
  refusedError,
  returnedError,
  tooLargeError,
  tooLargeHeadersError,
} from './publish-errors.js';
import { RetiringChannels } from './retiring-channels.js';
import { Suspicion } from './suspicion.js';

/** Bytes that may wait in amqplib on top of its buffer. */
const MOST_AHEAD = 1_048_576;
/** About what a message has besides its body. Bytes. */
const HEAD_BYTES = 256;
/** How often at most a channel is replaced because a queue refuses. Milliseconds. */
const RENEW_EVERY = 1_000;
/** How often at most the log says that the broker closes channels. Milliseconds. */
const TELL_EVERY = 10_000;

/** What a publisher asks of whoever declares the queues. */
export interface PublishedQueues {
  /** Resolves when they are there, on a new connection; never rejects. */
  ready(model: ChannelModel): Promise<void>;
  /** A message found none, or the exchange is gone. */
  unroutable(): void;
}

/**
 * Sends what waits in the outbox on a channel in confirm mode, and tells each caller what became of its message. When the
 * channel goes, what it leaves unconfirmed is put back, and another channel begins with that.
 */
export class PublishChannel {
  /** What the broker takes in one frame, as far as is known. Bytes. */
  frameMax = Infinity;
  private channel: ConfirmChannel | undefined;
  /** Bytes handed over since amqplib's buffer was full. It holds sixteen messages, which would make many small packets. */
  private ahead = 0;
  /** How many messages are unconfirmed on the channel. */
  private onTheWay = 0;
  /** The connection whose queues are there. */
  private ready: ChannelModel | undefined;
  /** On which connection a channel is being opened. */
  private opening: ChannelModel | undefined;
  private retry: Timer | undefined;
  /** Channels in a row that were lost, or could not be opened, with nothing confirmed in between. */
  private failures = 0;
  private renewedAt = -Infinity;
  private toldAt = -Infinity;
  private closed = false;
  private readonly denials: LogLimit;
  private readonly retiring: RetiringChannels;
  private readonly suspicion: Suspicion;

  constructor(
    private readonly outbox: Outbox,
    private readonly connection: BrokerConnection,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly logger: LoggerService,
    private readonly queues: PublishedQueues,
  ) {
    this.retiring = new RetiringChannels(outbox);
    this.suspicion = new Suspicion(outbox);
    this.denials = new LogLimit(clock);
    connection.on('up', (model) => void this.open(model));
    connection.on('down', (cause) => this.disconnected(cause));
  }

  /** From now on no other channel is opened. */
  close(): void {
    this.closed = true;
    this.retry?.cancel();
  }

  /** Sends what waits, as far as it may. */
  send(): void {
    const { channel, outbox, suspicion } = this;
    while (
      channel !== undefined &&
      this.channel === channel &&
      this.ahead < MOST_AHEAD &&
      this.onTheWay < suspicion.most &&
      !this.connection.blocked
    ) {
      const outstanding = outbox.take();
      if (outstanding === undefined) return;
      try {
        const { exchange, queue, body, options } = outstanding.message;
        if (this.frameMax < LARGEST_HEADER_FRAME && headerFrameBytes(options) > this.frameMax) {
          this.refuse(outstanding, tooLargeHeadersError(headerFrameBytes(options), this.frameMax));
          continue;
        }
        outstanding.channel = channel;
        const fits = channel.publish(exchange, queue, body, options, (error: unknown) => {
          if (outstanding.channel === channel) this.confirmed(channel, outstanding, error);
        });
        this.onTheWay++;
        this.ahead = fits ? 0 : this.ahead + body.length + HEAD_BYTES;
      } catch (error) {
        if (this.channel !== channel || channelIsClosed(error)) {
          outbox.untake(outstanding);
          return;
        }
        this.refuse(outstanding, encodeError(error));
      }
    }
  }

  /** Opens a channel, which takes the place of the present one. */
  private async open(model: ChannelModel): Promise<void> {
    if (this.opening === model) return;
    this.opening = model;
    try {
      if (this.ready !== model) await this.queues.ready(model);
      this.ready = model;
      const channel = await openConfirmChannel(model);
      channel.on('error', (error: Error) => this.channelFailed(channel, error)); // 'close' follows.
      channel.on('close', () => this.channelClosed(channel));
      channel.on('return', (message: Message) => this.markReturned(message));
      channel.on('drain', () => {
        if (this.channel !== channel) return;
        this.ahead = 0;
        this.send();
      });
      if (this.connection.current !== model) return;
      const old = this.channel;
      this.channel = channel;
      this.ahead = 0;
      this.onTheWay = 0;
      this.frameMax = this.connection.limits?.frameMax ?? this.frameMax;
      if (old !== undefined) this.retiring.add(old);
      this.send();
    } catch (error) {
      if (this.connection.current !== model) return; // Its next 'up' opens a channel.
      if (this.mayTell()) this.logger.warn(`No channel to publish on could be opened: ${reasonOf(error)}`);
      this.reopenLater();
    } finally {
      if (this.opening === model) this.opening = undefined;
    }
  }

  private confirmed(channel: ConfirmChannel, outstanding: Outstanding, error: unknown): void {
    const nacked = error !== null && error !== undefined;
    // A channel that was closed answers for what it has not confirmed: whether it was taken is not known, and it is put back.
    if (nacked && !isNack(error)) return;
    const { queue } = outstanding.message;
    this.outbox.remove(outstanding);
    outstanding.channel = undefined;
    this.failures = 0;
    this.suspicion.answered();
    if (outstanding.returned) {
      this.queues.unroutable();
      outstanding.finish(returnedError(queue));
    } else if (nacked) {
      outstanding.finish(nackedError(error));
      if (this.settings.quorum) this.renew();
    } else {
      outstanding.finish();
    }
    if (this.channel === channel) this.onTheWay--;
    else this.retiring.answered(channel, queue);
    this.send();
  }

  /**
   * A channel that came to a quorum queue in the middle of an election goes on to refuse every message to it for as long
   * as the lost leader is away (RabbitMQ 3.10); a new channel finds the new leader. What is unconfirmed on the old one is not
   * sent again.
   */
  private renew(): void {
    const model = this.connection.current;
    const now = this.clock.now();
    // A queue may refuse for other reasons too, for ever.
    if (model === undefined || this.channel === undefined || now - this.renewedAt < RENEW_EVERY) return;
    this.renewedAt = now;
    void this.open(model);
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
    const most = largestTaken(error);
    const access = explainRight('write', this.settings, error);
    if (access !== undefined) this.denied(channel, access);
    else if (codeOf(error) === NOT_FOUND)
      this.queues.unroutable(); // The exchange was deleted.
    else if (most !== undefined) this.refuseLargerThan(channel, most, error);
    else this.refuseSuspect(error, channel);
    this.gone(channel);
  }

  private refuseLargerThan(channel: ConfirmChannel, most: number, cause: Error): void {
    for (const outstanding of this.outbox.unconfirmed) {
      const { length } = outstanding.message.body;
      if (outstanding.channel !== channel || length <= most) continue;
      this.refuse(outstanding, tooLargeError(length, most, cause));
    }
  }

  private refuseSuspect(cause: Error, channel?: ConfirmChannel): void {
    const suspect = this.suspicion.closed(channel);
    this.failures = 0; // Each time is a step towards the one.
    if (suspect !== undefined) this.refuse(suspect, refusedError(cause));
  }

  /**
   * The user has lost the right to publish. Which messages were taken before is not known, so they are sent again, one at first:
   * when that is refused too, so is all that waits for the exchange. What is published later is a new try.
   */
  private denied(channel: ConfirmChannel, access: RabbitMqAccessError): void {
    this.denials.tell((more) => this.logger.error(`RabbitMQ takes no messages any more: ${access.message}${more}`));
    this.failures = 0;
    const alone = this.suspicion.denied(channel);
    if (alone === undefined) return;
    const { exchange } = alone.message;
    this.refuse(alone, deniedError(access));
    for (const one of this.outbox) {
      if (one.channel === undefined && one.message.exchange === exchange) one.finish(deniedError(access));
    }
    this.outbox.forgetGone();
  }

  private refuse(outstanding: Outstanding, error: Error): void {
    this.outbox.remove(outstanding);
    outstanding.channel = undefined;
    outstanding.finish(error);
  }

  private channelClosed(channel: ConfirmChannel): void {
    const cause = whyClosed(channel);
    const isDenied = explainRight('write', this.settings, cause) !== undefined;
    if (cause !== undefined && !isDenied && this.mayTell()) {
      this.logger.warn(
        `RabbitMQ closed a channel that publishes: ${reasonOf(cause)}. What is unconfirmed is sent again.`,
      );
    }
    this.gone(channel);
    if (this.channel === undefined) this.reopenLater();
    else this.send();
  }

  private mayTell(): boolean {
    const now = this.clock.now();
    if (now - this.toldAt < TELL_EVERY) return false;
    this.toldAt = now;
    return true;
  }

  /** Not at once: while the reason lasts, this would spin as fast as the network allows. */
  private reopenLater(): void {
    const { initial, max } = this.settings.reconnect;
    const reopen = (): void => {
      const model = this.connection.current;
      if (this.channel === undefined && model !== undefined && !this.closed) void this.open(model);
    };
    this.retry?.cancel();
    this.retry = this.clock.after(Math.min(max, initial * 2 ** this.failures++), reopen, true);
  }

  /** The connection went; when the broker closed it, that may be over what was sent, too. */
  private disconnected(cause: Error): void {
    const code = codeOf(cause);
    if (typeof code === 'number' && code !== CONNECTION_FORCED) this.refuseSuspect(cause);
    if (this.channel !== undefined) this.gone(this.channel);
    this.retiring.allGone();
    this.failures = 0;
  }

  /** Everything unconfirmed on it is sent again first, in its order. */
  private gone(channel: ConfirmChannel): void {
    if (this.channel !== channel) {
      this.retiring.gone(channel);
      return;
    }
    this.channel = undefined;
    this.outbox.putBack(channel);
  }
}

/** amqplib throws synchronously on a channel that is closed. */
function channelIsClosed(error: unknown): boolean {
  return error instanceof Error && error.name === 'IllegalOperationError';
}
