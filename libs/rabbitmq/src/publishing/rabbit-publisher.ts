import type { LoggerService } from '@nestjs/common';
import type { Clock, OutgoingMessage, Publisher } from '@mississippi/core/transport';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { pause } from '../connection/timers.js';
import type { Settings } from '../options/settings.js';
import type { QueueNames } from '../topology/queue-names.js';
import { ShardMessage, type AddressedMessage } from './addressed-message.js';
import { Outbox } from './outbox.js';
import { Outstanding } from './outstanding.js';
import { PublishChannel, type PublishedQueues } from './publish-channel.js';
import { PublishDeadlines } from './publish-deadlines.js';
import { movedCopy } from './moved-copy.js';
import { closedError, refusalOf } from './publish-errors.js';

/** How soon to ask again whether the broker takes messages, after it refused one. Milliseconds. */
const PROBE_AGAIN = 1_000;

/**
 * Publishes in call order with confirms pipelined. What was sent and not confirmed when the connection goes is sent again
 * first when it is back, in the old order and with the same message ids: the end of a sequence may repeat, nothing in it
 * is missing.
 */
export class RabbitPublisher implements Publisher {
  private readonly outbox: Outbox;
  private readonly channel: PublishChannel;
  private readonly deadlines: PublishDeadlines;
  private readonly closing = new AbortController();
  private probing: Promise<void> | undefined;

  constructor(
    connection: BrokerConnection,
    private readonly settings: Settings,
    private readonly names: QueueNames,
    private readonly clock: Clock,
    logger: LoggerService,
    queues: PublishedQueues,
  ) {
    this.outbox = new Outbox(settings.publishBuffer);
    this.channel = new PublishChannel(this.outbox, connection, settings, clock, logger, queues);
    this.deadlines = new PublishDeadlines(this.outbox, clock);
  }

  /**
   * @throws {PublishTimeoutError} after `timeout`: the outcome is unknown, or nothing was sent
   * @throws {PublishError} when the message is too large, was returned or refused, or the transport was closed
   */
  publish(message: OutgoingMessage, timeout: number): Promise<void> {
    const { exchange, maxMessageSize } = this.settings;
    const refusal = refusalOf(message, maxMessageSize);
    if (refusal !== undefined) return Promise.reject(refusal);
    return this.submit(new ShardMessage(message, exchange, this.names.shard(message.shard)), timeout);
  }

  /**
   * Publishes a message to the dead letters.
   * @throws {PublishError} when it is too large, was returned or refused, or the transport was closed
   */
  deadLetter(letter: OutgoingMessage, timeout: number): Promise<void> {
    const { deadLetters: queue } = this.names;
    return this.submit(movedCopy(letter, {}, { queue, frameMax: this.frameMax, ordered: false }), timeout);
  }

  /**
   * Sends an addressed message. Resolves on its confirm.
   * @throws {PublishTimeoutError} as {@link publish}
   * @throws {PublishError} as {@link publish}
   */
  submit(message: AddressedMessage, timeout: number): Promise<void> {
    if (this.closing.signal.aborted) return Promise.reject(closedError());
    const outstanding = new Outstanding(message, timeout, this.clock.now() + timeout);
    this.deadlines.watch(outstanding.deadline);
    this.outbox.add(outstanding);
    this.channel.send();
    return outstanding.done;
  }

  /**
   * Resolves when the broker takes messages: it confirms one that no queue gets. During an alarm it does not, which the
   * connections that consume are not told before they publish, and then they stop consuming. Where the user has lost the right
   * to publish it waits too.
   * @throws {PublishError} when the transport was closed
   */
  probe(): Promise<void> {
    this.probing ??= this.untilTaken().finally(() => {
      this.probing = undefined;
    });
    return this.probing;
  }

  private async untilTaken(): Promise<void> {
    const { names, clock } = this;
    const probe = { exchange: '', queue: names.nobody, body: Buffer.alloc(0), options: { mandatory: false } };
    for (;;) {
      try {
        return await this.submit(probe, Infinity);
      } catch (error) {
        if (this.closing.signal.aborted) throw error;
        await pause(clock, PROBE_AGAIN, this.closing.signal);
      }
    }
  }

  /** What the broker takes in one frame, as it was agreed upon last. Bytes. */
  get frameMax(): number {
    return this.channel.frameMax;
  }

  /** Resolves when no caller waits any more. */
  async idle(): Promise<void> {
    for (let last = this.outbox.last(); last !== undefined; last = this.outbox.last()) {
      await last.done.catch(() => undefined); // Its caller is told.
    }
  }

  close(): void {
    this.closing.abort();
    this.channel.close();
    this.deadlines.stop();
    for (const outstanding of this.outbox.clear()) outstanding.finish(closedError());
  }
}
