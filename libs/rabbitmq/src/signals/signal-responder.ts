import { describe, type Clock, type ShardReceiver } from '@mississippi/core/transport';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { askBack, reply, replyWithAddress, REPLY_TO, wantsReply } from '../connection/direct-reply.js';
import { LazyChannel } from '../connection/lazy-channel.js';
import { pause } from '../connection/timers.js';
import type { Topology } from '../topology/topology.js';
import { asBuffer } from '../wire/as-buffer.js';
import { CallerClocks } from './caller-clocks.js';
import {
  CLOCK,
  decodeReading,
  decodeRequest,
  encodeReply,
  type SignalReply,
  type SignalRequest,
} from './signal-messages.js';

/** How soon to look again whether the broker takes messages. Milliseconds. */
const BLOCKED_LOOK = 50;

/** Who answers the signals to a shard. */
export interface SignalOwner {
  readonly receiver: ShardReceiver;
  /**
   * A request has come with this delivery tag, and is not acked yet. Returns what acks it, once.
   * @param returned called where the shard leaves before
   */
  readonly requested: (tag: number, returned: () => Promise<void>) => () => void;
}

/**
 * Answers the signals of other processes to the shards that this one owns, at most once and not after its caller has given
 * up: a request is acked when its handler is about to see it, one that somebody else may have started is refused, and what
 * has not started when the shard leaves goes back to its caller.
 */
export class SignalResponder {
  private readonly replies: LazyChannel;
  private readonly clocks: CallerClocks;

  constructor(
    /** The connection that publishes. */
    private readonly connection: BrokerConnection,
    private readonly topology: Pick<Topology, 'names' | 'tags'>,
    /** Bytes of one answer. */
    private readonly limit: number,
    private readonly clock: Clock,
    /** Tells in the log what the user lacks, where that is why the broker closed the channel of answers. */
    denied: (cause: Error | undefined) => unknown,
  ) {
    this.clocks = new CallerClocks(clock);
    this.replies = new LazyChannel(connection, {
      prepare: (channel) => channel.consume(REPLY_TO, (message) => this.told(message), { noAck: true }),
      lost: (cause) => {
        this.clocks.forget();
        denied(cause);
      },
    });
  }

  /**
   * Reads a shard's requests on the shard's own channel, so that what has not started returns with it.
   * @param cancelled the broker reads no more to us: the queue was deleted
   */
  async serve(channel: Channel, shard: number, owner: SignalOwner, cancelled: () => void): Promise<void> {
    const requested = (message: ConsumeMessage | null): void => {
      if (message === null) cancelled();
      else this.requested(owner, message);
    };
    const { names, tags } = this.topology;
    await channel.consume(names.signals(shard), requested, { consumerTag: tags.signals(shard) });
  }

  /** Resolves when the broker has got every answer. */
  close(): Promise<void> {
    return this.replies.close();
  }

  private requested({ receiver, requested }: SignalOwner, message: ConsumeMessage): void {
    const { deliveryTag, redelivered } = message.fields;
    const ack = requested(deliveryTag, () => this.reply(message, { kind: 'returned' }));
    const refuse = (refusal: SignalReply): void => {
      ack();
      void this.reply(message, refusal);
    };
    if (redelivered) {
      // An owner before has had it, and its ack may have got lost. One that leaves in order returns what has not started.
      refuse({ kind: 'unknown' });
      return;
    }
    let request: SignalRequest;
    try {
      request = decodeRequest(message);
    } catch (error) {
      refuse({ kind: 'refused', message: describe(error) });
      return;
    }
    const { timeout, deadline } = request;
    const answer = (left: number): void => void this.answerInTime(receiver, message, request, left, ack);
    if (deadline === undefined || !wantsReply(message)) answer(timeout);
    else this.clocks.left(deadline, timeout, (id) => void this.askForTime(message, id), answer);
  }

  /** While the broker takes nothing, nothing starts that could not be told. */
  private async answerInTime(
    receiver: ShardReceiver,
    message: ConsumeMessage,
    request: SignalRequest,
    left: number,
    ack: () => void,
  ): Promise<void> {
    const { clock, connection } = this;
    const end = clock.now() + left;
    while (connection.blocked && clock.now() < end) await pause(clock, Math.min(BLOCKED_LOOK, end - clock.now()));
    const rest = end - clock.now();
    if (rest > 0) {
      await this.answer(receiver, message, request, rest, ack);
    } else {
      // Its caller has given up, or is about to, and hears that it did not start.
      ack();
      await this.reply(message, { kind: 'returned' });
    }
  }

  private async answer(
    receiver: ShardReceiver,
    message: ConsumeMessage,
    { key, signal, waiting }: SignalRequest,
    left: number,
    ack: () => void,
  ): Promise<void> {
    const started = (): void => {
      ack();
      void this.tellStarted(message);
    };
    let answer: Uint8Array;
    try {
      answer = await receiver.signal(key, signal, left, started, waiting);
    } catch {
      return; // The shard leaves and the handler never saw it.
    }
    ack();
    await this.reply(message, this.sized(asBuffer(answer)));
  }

  /** The caller can look from now on whether we still live. */
  private async tellStarted(message: ConsumeMessage): Promise<void> {
    if (!wantsReply(message)) return;
    try {
      replyWithAddress(await this.replies.get(), message, Buffer.alloc(0), 'started');
    } catch {
      // The connection went in this moment; the caller times out.
    }
  }

  private async askForTime(message: ConsumeMessage, id: string): Promise<void> {
    try {
      askBack(await this.replies.get(), message, id, CLOCK);
    } catch {
      // The connection went in this moment; it is asked again.
    }
  }

  private told(message: ConsumeMessage | null): void {
    if (message?.properties.type !== CLOCK) return;
    const { clock, reading } = decodeReading(message);
    this.clocks.answered(String(message.properties.correlationId), clock, reading);
  }

  /** What is larger than the broker takes would end the channel, and every other answer on it. */
  private sized(answer: Buffer): SignalReply {
    const { limit } = this;
    return answer.length > limit ? { kind: 'tooLarge', size: answer.length, limit } : { kind: 'answer', answer };
  }

  private async reply(message: ConsumeMessage, content: SignalReply): Promise<void> {
    if (!wantsReply(message)) return;
    const body = encodeReply(content);
    try {
      reply(await this.replies.get(), message, body, content.kind);
    } catch {
      // The connection went in this moment; the caller times out.
    }
  }
}
