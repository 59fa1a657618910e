import { PublishError, PublishTimeoutError } from '@mississippi/core';
import type { OutgoingMessage, Publisher } from '@mississippi/core/transport';
import type { ChannelModel, ConfirmChannel, Message, Options } from 'amqplib';
import type { BrokerConnection } from './broker-connection.js';
import { reasonOf } from './errors.js';
import { MOST_HEADER_BYTES, publishedTable, sizeOf } from './headers.js';
import type { Settings } from './settings.js';
import { closeChannel, codeOf, type Topology } from './topology.js';

const NOT_FOUND = 404;
/** How RabbitMQ words it (3.10, with the reply code 406, which has other reasons too). */
const TOO_LARGE = /message size \d+ .*max size (\d+)/;

/** The longest delay that setTimeout takes; a longer one fires at once. Milliseconds. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** Bytes that may wait in amqplib beside what its buffer takes. */
const MOST_AHEAD = 1_048_576;
/** About what a message has beside its body. Bytes. */
const HEAD_BYTES = 256;

/** A message with its address, ready for the client. */
export interface Addressed {
  readonly exchange: string;
  readonly queue: string;
  readonly body: Buffer;
  readonly options: Options.Publish;
}

/** A message for a shard. What the client wants is made when it is sent: until the confirm that would be most of it. */
class ShardMessage implements Addressed {
  constructor(
    private readonly message: OutgoingMessage,
    readonly exchange: string,
    readonly queue: string,
  ) {}

  get body(): Buffer {
    return asBuffer(this.message.body);
  }

  get options(): Options.Publish {
    const { key, headers, messageId, timestamp } = this.message;
    return { headers: publishedTable(key, headers), persistent: true, mandatory: true, messageId, timestamp };
  }
}

class Outstanding {
  sent = false;
  returned = false;
  open = true;
  resolve!: () => void;
  reject!: (error: Error) => void;
  readonly done = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor(
    readonly message: Addressed,
    /** How long its caller waits. Milliseconds. */
    readonly timeout: number,
    /** On the clock of `performance`. */
    readonly deadline: number,
  ) {}
}

/**
 * Publishes in call order with confirms pipelined. What was sent and not confirmed when the connection goes is sent again
 * first when it is back, in the old order and with the same message ids: the end of a sequence may repeat, nothing in it
 * is missing.
 */
export class RabbitPublisher implements Publisher {
  /** Sent, in order, and not confirmed. */
  private readonly sent = new Set<Outstanding>();
  /** Not sent yet, in order. */
  private waiting: Outstanding[] = [];
  private head = 0;
  private channel: ConfirmChannel | undefined;
  /** Bytes handed over since amqplib's buffer was full. It holds sixteen messages, which would make many small packets. */
  private ahead = 0;
  private closed = false;
  private opening = false;
  /** The channel is to be replaced once everything on it is answered. */
  private worn = false;
  private probing: Promise<void> | undefined;
  /** One for all deadlines: each message would pay for its own, and hardly one fires. */
  private timer: NodeJS.Timeout | undefined;
  /** When it fires. */
  private firesAt = Infinity;

  constructor(
    private readonly connection: BrokerConnection,
    private readonly settings: Settings,
    private readonly topology: Topology,
    private readonly unroutable: () => void,
  ) {
    connection.on('up', (model) => void this.open(model));
    connection.on('down', () => this.interrupted());
  }

  /** Opens the channel on a connection that is up already. */
  async open(model: ChannelModel): Promise<void> {
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

  publish(message: OutgoingMessage, timeout: number): Promise<void> {
    const refusal = this.refusalOf(message);
    if (refusal !== undefined) return Promise.reject(refusal);
    const { exchange } = this.settings;
    return this.submit(new ShardMessage(message, exchange, this.topology.shard(message.shard)), timeout);
  }

  private refusalOf({ body, headers, key }: OutgoingMessage): PublishError | undefined {
    const { maxMessageSize } = this.settings;
    if (body.length > maxMessageSize) {
      return new PublishError(
        'too_large',
        `The body has ${body.length} bytes, but at most ${maxMessageSize} are taken: send less, or raise maxMessageSize in rabbitmq() and max_message_size in the broker.`,
      );
    }
    const size = sizeOf(headers) + key.length;
    if (size <= MOST_HEADER_BYTES) return undefined;
    return new PublishError(
      'too_large',
      size === Infinity
        ? 'A header has a name of more than 255 bytes: shorten it.'
        : `The headers and the sharding key have ${size} bytes encoded, but at most ${MOST_HEADER_BYTES} are taken: move data into the payload.`,
    );
  }

  /** Sends an addressed message. Resolves on its confirm. */
  submit(message: Addressed, timeout: number): Promise<void> {
    if (this.closed) return Promise.reject(closedError());
    const outstanding = new Outstanding(message, timeout, Math.ceil(performance.now()) + timeout);
    if (outstanding.deadline < this.firesAt) this.fireAt(outstanding.deadline);
    this.waiting.push(outstanding);
    this.send();
    return outstanding.done;
  }

  /**
   * Resolves when the broker takes messages: it confirms one that no queue gets. During an alarm it does not, which the
   * connections that consume are not told before they publish, and then they stop consuming.
   */
  taking(): Promise<void> {
    this.probing ??= this.submit(
      { exchange: '', queue: `${this.settings.prefix}nobody`, body: Buffer.alloc(0), options: { mandatory: false } },
      Infinity,
    ).finally(() => {
      this.probing = undefined;
    });
    return this.probing;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    const left = [...this.sent, ...this.waiting.slice(this.head)];
    this.sent.clear();
    this.waiting = [];
    this.head = 0;
    for (const outstanding of left) this.finish(outstanding, closedError());
  }

  /** Resolves when nothing is unconfirmed or waiting any more. */
  async idle(): Promise<void> {
    while (this.sent.size > 0 || this.head < this.waiting.length) {
      const [first] = this.sent;
      const last = this.waiting.at(-1) ?? [...this.sent].at(-1) ?? first!;
      await last.done.catch(() => undefined); // Its caller is told.
    }
  }

  private send(): void {
    const { channel } = this;
    while (
      channel !== undefined &&
      !this.worn &&
      this.ahead < MOST_AHEAD &&
      this.sent.size < this.settings.publishBuffer &&
      !this.connection.blocked
    ) {
      const outstanding = this.takeWaiting();
      if (outstanding === undefined) return;
      const { message } = outstanding;
      outstanding.sent = true;
      outstanding.returned = false;
      this.sent.add(outstanding);
      try {
        const { exchange, queue, body, options } = message;
        const fits = channel.publish(exchange, queue, body, options, (error: unknown) => {
          if (this.channel === channel) this.confirmed(outstanding, error);
        });
        this.ahead = fits ? 0 : this.ahead + body.length + HEAD_BYTES;
      } catch (error) {
        this.sent.delete(outstanding);
        if (this.channel !== channel || channelIsClosed(error)) {
          this.putBack([outstanding]);
          return;
        }
        this.finish(
          outstanding,
          new PublishError('too_large', `The message cannot be encoded: ${reasonOf(error)}`, { cause: error }),
        );
      }
    }
  }

  private takeWaiting(): Outstanding | undefined {
    while (this.head < this.waiting.length) {
      const outstanding = this.waiting[this.head++]!;
      if (this.head === this.waiting.length) {
        this.waiting = [];
        this.head = 0;
      }
      if (outstanding.open) return outstanding;
    }
    return undefined;
  }

  private putBack(outstanding: readonly Outstanding[]): void {
    this.waiting = [...outstanding.filter((one) => one.open), ...this.waiting.slice(this.head)];
    this.head = 0;
  }

  private confirmed(outstanding: Outstanding, error: unknown): void {
    this.sent.delete(outstanding);
    if (outstanding.returned) {
      this.unroutable();
      const text = `No queue took the message (queue '${outstanding.message.queue}'): it was deleted and is declared again; publish again.`;
      this.finish(outstanding, new PublishError('returned', text));
    } else if (error === null || error === undefined) {
      this.finish(outstanding, undefined);
    } else {
      const text = 'The broker refused the message (nack): see its log, then publish again.';
      this.finish(outstanding, new PublishError('nacked', text, { cause: error }));
      this.worn = this.settings.quorum;
    }
    if (this.worn && this.sent.size === 0) this.renew();
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
    for (const outstanding of this.sent) {
      if (outstanding.returned || outstanding.message.queue !== message.fields.routingKey) continue;
      if (outstanding.message.options.messageId !== messageId) continue;
      outstanding.returned = true;
      return;
    }
  }

  /** The broker closes the channel over what it refuses. To send the same again would go on for ever; the rest is sent again. */
  private channelFailed(channel: ConfirmChannel, error: Error): void {
    if (this.channel !== channel) return;
    if (codeOf(error) === NOT_FOUND) this.unroutable(); // The exchange was deleted.
    const most = TOO_LARGE.exec(error.message)?.[1];
    if (most !== undefined) this.refuseLargerThan(Number(most), error);
    // Before amqplib tells each unconfirmed message that it failed: whether it did is not known.
    this.interrupted();
  }

  private refuseLargerThan(most: number, cause: Error): void {
    for (const outstanding of this.sent) {
      const { length } = outstanding.message.body;
      if (length <= most) continue;
      this.sent.delete(outstanding);
      const text = `The body has ${length} bytes, but the broker takes at most ${most}: send less, or raise max_message_size in the broker.`;
      this.finish(outstanding, new PublishError('too_large', text, { cause }));
    }
  }

  private channelClosed(channel: ConfirmChannel): void {
    if (this.channel === channel) this.interrupted();
    // Not at once: where the reason stays, this would turn as fast as the network allows.
    setTimeout(() => {
      const model = this.connection.current;
      if (this.channel === undefined && model !== undefined && !this.closed) void this.open(model);
    }, this.settings.reconnect.initial).unref();
  }

  /** Everything unconfirmed goes to the front of the queue again, in its order. */
  private interrupted(): void {
    this.channel = undefined;
    this.worn = false;
    const again = [...this.sent];
    this.sent.clear();
    this.putBack(again);
  }

  private fireAt(deadline: number): void {
    clearTimeout(this.timer);
    this.firesAt = deadline;
    const delay = Math.min(Math.ceil(deadline - performance.now()), LONGEST_TIMEOUT);
    this.timer = setTimeout(() => this.expire(), delay);
  }

  /** Ends what is due, and sets the timer for what comes next. */
  private expire(): void {
    this.firesAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const outstanding of [...this.sent, ...this.waiting.slice(this.head)]) {
      if (!outstanding.open) continue;
      if (outstanding.deadline > now) next = Math.min(next, outstanding.deadline);
      else this.finish(outstanding, new PublishTimeoutError(outstanding.timeout, outstanding.sent));
    }
    if (next < Infinity) this.fireAt(next);
  }

  private finish(outstanding: Outstanding, error: Error | undefined): void {
    if (!outstanding.open) return;
    outstanding.open = false;
    if (error === undefined) outstanding.resolve();
    else outstanding.reject(error);
  }
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function closedError(): PublishError {
  return new PublishError('closed', 'The connection to RabbitMQ is closed, because the app is shutting down.');
}

/** amqplib throws synchronously on a channel that is closed. */
function channelIsClosed(error: unknown): boolean {
  return error instanceof Error && error.name === 'IllegalOperationError';
}
