import { randomUUID } from 'node:crypto';
import type { Clock, ProcessInfo } from '@mississippi/core/transport';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { onChannel, openChannel } from '../connection/channels.js';
import { reply, REPLY_TO, wantsReply } from '../connection/direct-reply.js';
import type { Topology } from '../topology/topology.js';

/** How long to wait for missing answers: a process may be frozen or just gone. Milliseconds. */
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
    private readonly clock: Clock,
  ) {
    consuming.on('up', (model) => void this.listen(model));
  }

  /** Asks everybody. Those that do not answer within a second are left out. Rejects while there is no connection. */
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
      const timer = this.clock.after(PATIENCE, resolve);
      const answered = (message: ConsumeMessage | null): void => {
        if (message === null) return;
        const answer = JSON.parse(message.content.toString()) as Answer;
        answers.push({ ...answer, self: answer.name === own });
        if (answers.length < members) return;
        timer.cancel();
        resolve();
      };
      channel
        .consume(REPLY_TO, answered, { noAck: true })
        .then(() =>
          channel.publish(this.topology.names.processes, '', Buffer.alloc(0), {
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
      const channel = await openChannel(model);
      await this.topology.declareProcesses(channel);
      await channel.assertQueue(this.queue, { exclusive: true, durable: false });
      await channel.bindQueue(this.queue, this.topology.names.processes, '');
      await channel.consume(this.queue, (message) => message !== null && void this.answer(message), { noAck: true });
    } catch {
      // The connection went in this moment; the next one listens.
    }
  }

  private async answer(message: ConsumeMessage): Promise<void> {
    const model = this.publishing.current;
    if (!wantsReply(message) || model === undefined) return;
    try {
      await onChannel(model, async (channel) => {
        reply(channel, message, Buffer.from(JSON.stringify(this.self())));
      });
    } catch {
      // The connection went in this moment; who asked waits no longer than its patience.
    }
  }
}
