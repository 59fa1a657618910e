import type { LoggerService } from '@nestjs/common';
import type { Clock, DeadLetterReader } from '@mississippi/core/transport';
import { BrokerConnection } from '../connection/broker-connection.js';
import { openChannel } from '../connection/channels.js';
import type { Settings } from '../options/settings.js';
import { needing } from '../topology/rights.js';
import type { QueueNames } from '../topology/queue-names.js';
import { QueueReader } from './queue-reader.js';
import { ReaderLock } from './reader-lock.js';

/**
 * The queue of the dead letters, for one reader at a time. Each reader has a connection of its own, so that one in the same process
 * is another, and the broker takes everything back when it goes.
 */
export class DeadLetterQueue {
  constructor(
    private readonly settings: Settings,
    private readonly names: QueueNames,
    private readonly purpose: string,
    private readonly logger: LoggerService,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws {DeadLettersBusyError}
   * @throws {RabbitMqUnreachableError}
   * @throws {RabbitMqAccessError}
   */
  async read(): Promise<DeadLetterReader> {
    const { settings, purpose, logger, clock, names } = this;
    const connection = new BrokerConnection(settings, purpose, logger, clock);
    await connection.start();
    try {
      const model = connection.current!;
      const channel = await openChannel(model);
      await new ReaderLock(settings, names.deadLettersLock, clock).take(channel);
      const { messageCount } = await needing('read', settings, channel.checkQueue(names.deadLetters));
      return new QueueReader(connection, model, channel, names.deadLetters, messageCount, clock, settings.quorum);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }
}
