import type { Channel, ConsumeMessage } from 'amqplib';
import { closeChannel, closedChannel } from '../../connection/channels.js';
import { cancelledBy } from '../../topology/disagreement.js';

/** Unsettled tokens that come at once: the one that is kept, and others that take its place. */
const PREFETCH = 8;

/** A message of a lock's queue. */
export interface Token {
  readonly id: string;
  /** Whether somebody has had it before, be it this consumer. */
  readonly redelivered: boolean;
  /** How often it was given back (`x-delivery-count`, RabbitMQ 3.10 and 4.0). */
  readonly returns: number;
}

export interface TokenHooks {
  /** A token has come, and is the one that is kept. */
  readonly came: (token: Token) => void;
  /** No more will come. */
  readonly failed: (cause: Error) => void;
}

/**
 * Consumes a lock's queue on a channel of its own, and keeps the newest token. A token is acked only when another is kept, so
 * that the queue always has one: whoever comes next is told by it, and has to publish nothing.
 */
export class TokenChannel {
  private kept: ConsumeMessage | undefined;
  private closed = false;

  constructor(
    private readonly channel: Channel,
    private readonly queue: string,
    private readonly consumerTag: string,
    private readonly hooks: TokenHooks,
  ) {
    channel.on('close', () => this.end(closedChannel(`the lock '${queue}'`, channel)));
  }

  async consume(): Promise<void> {
    await this.channel.prefetch(PREFETCH);
    const { channel, queue, consumerTag } = this;
    await channel.consume(queue, (message) => this.arrived(message), { consumerTag });
  }

  /** Gives the kept token back to the queue: whoever is its active consumer gets it. Returns it, where there is one. */
  giveBack(): Token | undefined {
    const { kept } = this;
    if (kept === undefined || this.closed) return undefined;
    this.kept = undefined;
    this.channel.nack(kept, false, true);
    return tokenOf(kept);
  }

  /** Resolves when everything has been read that the broker had sent before it answers. */
  async roundTrip(): Promise<void> {
    await this.channel.checkQueue(this.queue);
  }

  /** Resolves when the broker has got it. What is kept returns to the queue. */
  async close(): Promise<void> {
    this.closed = true;
    await closeChannel(this.channel);
  }

  private arrived(message: ConsumeMessage | null): void {
    if (this.closed) return;
    if (message === null) {
      this.end(cancelledBy(this.queue));
      return;
    }
    if (this.kept !== undefined) this.channel.ack(this.kept);
    this.kept = message;
    this.hooks.came(tokenOf(message));
  }

  private end(cause: Error): void {
    if (this.closed) return;
    this.closed = true;
    this.hooks.failed(cause);
  }
}

function tokenOf({ content, fields, properties }: ConsumeMessage): Token {
  const returns: unknown = properties.headers?.['x-delivery-count'];
  return { id: content.toString(), redelivered: fields.redelivered, returns: Number(returns ?? 0) };
}
