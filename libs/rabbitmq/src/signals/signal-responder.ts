import { describe, type ShardReceiver } from '@mississippi/core/transport';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { reply, wantsReply } from '../connection/direct-reply.js';
import { LazyChannel } from '../connection/lazy-channel.js';
import type { QueueNames } from '../topology/queue-names.js';
import { asBuffer } from '../wire/as-buffer.js';
import { decodeRequest, encodeReply, type SignalReply, type SignalRequest } from './signal-messages.js';

/** Who answers the signals to a shard. */
export interface SignalOwner {
  readonly receiver: ShardReceiver;
  /** A request has come with this delivery tag, and is not acked yet. Returns what acks it, once. */
  readonly requested: (tag: number) => () => void;
}

/**
 * Answers the signals of other processes to the shards that this one owns. A request is acked when its handler is about to
 * see it, so it runs at most once; before that it belongs to whoever owns the shard.
 */
export class SignalResponder {
  private readonly replies: LazyChannel;

  constructor(
    /** The connection that publishes. */
    connection: BrokerConnection,
    private readonly names: QueueNames,
    /** Bytes of one answer. */
    private readonly limit: number,
    /** Name of a queue that lives as long as this process consumes. */
    private readonly process: string,
    /** Tells in the log what the user lacks, where that is why the broker closed the channel of answers. */
    denied: (cause: Error | undefined) => unknown,
  ) {
    this.replies = new LazyChannel(connection, { lost: denied });
  }

  /**
   * Reads a shard's requests on the shard's own channel, so that what has not started returns with it.
   * @param cancelled the broker reads no more to us: the queue was deleted
   */
  async serve(channel: Channel, shard: number, owner: SignalOwner, cancelled: () => void): Promise<void> {
    await channel.consume(this.names.signals(shard), (message) => {
      if (message === null) cancelled();
      else void this.answer(owner, message);
    });
  }

  private async answer({ receiver, requested }: SignalOwner, message: ConsumeMessage): Promise<void> {
    const ack = requested(message.fields.deliveryTag);
    const started = (): void => {
      ack();
      void this.reply(message, { kind: 'started', process: this.process });
    };
    let request: SignalRequest;
    try {
      request = decodeRequest(message);
    } catch (error) {
      ack();
      await this.reply(message, { kind: 'refused', message: describe(error) });
      return;
    }
    const { key, signal, timeout, waiting } = request;
    let answer: Uint8Array;
    try {
      answer = await receiver.signal(key, signal, timeout, started, waiting);
    } catch {
      return; // The shard leaves and the handler never saw it: the next owner gets the request.
    }
    ack();
    await this.reply(message, this.sized(asBuffer(answer)));
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
