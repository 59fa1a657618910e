import { randomUUID } from 'node:crypto';
import { DeadLettersBusyError } from '@mississippi/core';
import type { Clock } from '@mississippi/core/transport';
import type { Channel } from 'amqplib';
import { within } from '../connection/timers.js';
import { isInUse } from '../errors/reply-codes.js';
import type { Settings } from '../options/settings.js';
import { ofOneConsumer } from '../topology/queue-options.js';
import { needing } from '../topology/rights.js';

/** How long a token may take to come, which was published to a queue that nobody seemed to consume. Milliseconds. */
const PATIENCE = 2_000;
/** A token that came to nobody is gone after so long. Milliseconds. */
const TOKEN_EXPIRES = 10_000;

/**
 * Who consumes it reads the dead letters, for as long as his channel lives. Nothing of it belongs to a node: what is exclusive to a connection
 * RabbitMQ 4.2 and newer keep until a lost node is back.
 */
export class ReaderLock {
  constructor(
    private readonly settings: Settings,
    private readonly queue: string,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws {DeadLettersBusyError} when somebody else has it
   * @throws {RabbitMqAccessError}
   */
  take(channel: Channel): Promise<void> {
    return this.settings.quorum ? this.takeActive(channel) : this.takeExclusive(channel);
  }

  private async takeExclusive(channel: Channel): Promise<void> {
    const { settings, queue } = this;
    await needing('configure', settings, channel.assertQueue(queue, ofOneConsumer(false)));
    try {
      const consuming = channel.consume(queue, () => undefined, { exclusive: true, noAck: true });
      await needing('read', settings, consuming);
    } catch (error) {
      throw isInUse(error) ? new DeadLettersBusyError({ cause: error }) : error;
    }
  }

  /** Quorum queues do not enforce exclusive consumers, but one of them is active: whoever gets his own token. */
  private async takeActive(channel: Channel): Promise<void> {
    const { settings, queue, clock } = this;
    // Of several consumers only the active one is counted (RabbitMQ 3.10, 4.0).
    const { consumerCount } = await needing('configure', settings, channel.assertQueue(queue, ofOneConsumer(true)));
    if (consumerCount > 0) throw new DeadLettersBusyError();
    const token = randomUUID();
    let came = (): void => undefined;
    const own = new Promise<void>((resolve) => (came = resolve));
    const listen = (id: unknown): void => {
      if (id === token) came();
    };
    const consuming = channel.consume(queue, (message) => listen(message?.properties.messageId), { noAck: true });
    await needing('read', settings, consuming);
    channel.publish('', queue, Buffer.alloc(0), { messageId: token, expiration: TOKEN_EXPIRES });
    try {
      await within(clock, PATIENCE, own);
    } catch (error) {
      throw new DeadLettersBusyError({ cause: error });
    }
  }
}
