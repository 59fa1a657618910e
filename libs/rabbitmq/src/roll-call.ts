import { randomUUID } from 'node:crypto';
import type { ProcessInfo } from '@mississippi/core';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from './broker-connection.js';
import { onChannel, type Topology } from './topology.js';

const REPLY_TO = 'amq.rabbitmq.reply-to';

/** How long missing answers are waited for: a process may be frozen or just gone. Milliseconds. */
const PATIENCE = 1_000;

type Answer = Omit<ProcessInfo, 'self'>;

/**
 * Who takes part and owns what: the question goes to every process by a fanout exchange, and each answers for itself.
 * Each has an exclusive queue for it, which also shows others that it lives.
 */
export class RollCall {
  constructor(
    private readonly publishing: BrokerConnection,
    consuming: BrokerConnection,
    private readonly topology: Topology,
    /** Name of this process's queue. */
    private readonly queue: string,
    private readonly self: () => Answer,
  ) {
    consuming.on('up', (model) => void this.listen(model));
  }

  /** Asks everybody. Those that do not answer within a second are left out. */
  async call(): Promise<ProcessInfo[]> {
    const model = this.publishing.current;
    if (model === undefined)
      throw new Error('RabbitMQ cannot be reached at present, so nobody can be asked: try again later.');
    return onChannel(model, async (channel) => {
      await this.topology.declareProcesses(channel);
      const { members } = await this.topology.declareMembers(channel);
      return this.collect(channel, members);
    });
  }

  private async collect(channel: Channel, members: number): Promise<ProcessInfo[]> {
    const own = this.self().name;
    const answers: ProcessInfo[] = [];
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, PATIENCE);
      const answered = (message: ConsumeMessage | null): void => {
        if (message === null) return;
        const answer = JSON.parse(message.content.toString()) as Answer;
        answers.push({ ...answer, self: answer.name === own });
        if (answers.length < members) return;
        clearTimeout(timer);
        resolve();
      };
      channel
        .consume(REPLY_TO, answered, { noAck: true })
        .then(() =>
          channel.publish(this.topology.processes, '', Buffer.alloc(0), {
            replyTo: REPLY_TO,
            correlationId: randomUUID(),
            expiration: PATIENCE,
          }),
        )
        .catch(reject);
    });
    return answers.sort((a, b) => a.name.localeCompare(b.name));
  }

  private async listen(model: ChannelModel): Promise<void> {
    try {
      const channel = await model.createChannel();
      channel.on('error', () => undefined); // The connection tells.
      await this.topology.declareProcesses(channel);
      await channel.assertQueue(this.queue, { exclusive: true, durable: false });
      await channel.bindQueue(this.queue, this.topology.processes, '');
      await channel.consume(this.queue, (message) => message !== null && void this.answer(message), { noAck: true });
    } catch {
      // The connection went in this moment; the next one listens.
    }
  }

  private async answer(message: ConsumeMessage): Promise<void> {
    const { replyTo, correlationId } = message.properties as { replyTo?: string; correlationId?: string };
    const model = this.publishing.current;
    if (replyTo === undefined || model === undefined) return;
    try {
      await onChannel(model, async (channel) => {
        const body = Buffer.from(JSON.stringify(this.self()));
        channel.publish('', replyTo, body, correlationId === undefined ? {} : { correlationId });
      });
    } catch {
      // The connection went in this moment; who asked waits no longer than its patience.
    }
  }
}
