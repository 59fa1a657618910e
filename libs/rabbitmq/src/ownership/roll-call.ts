import { randomUUID } from 'node:crypto';
import { MississippiError } from '@mississippi/core';
import type { Clock, ProcessInfo } from '@mississippi/core/transport';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { closeChannel, onChannel, openChannel } from '../connection/channels.js';
import { reply, REPLY_TO, wantsReply } from '../connection/direct-reply.js';
import { LazyChannel } from '../connection/lazy-channel.js';
import { within } from '../connection/timers.js';
import { reasonOf } from '../errors/reason.js';
import type { Topology } from '../topology/topology.js';

/** How long to wait for missing answers: a process may be frozen or just gone. Milliseconds. */
const PATIENCE = 1_000;

/** How long the broker may take for everything together: it may be frozen, or take nothing. Milliseconds. */
const DEADLINE = 5_000;

/** What a process says of itself. Those of 0.1 say less. */
export interface Answer extends Omit<ProcessInfo, 'self'> {
  readonly application?: string;
  readonly totalCount?: number;
}

/**
 * Who takes part and owns what: the question goes to every process by a fanout exchange, and each answers for itself.
 * Each has an exclusive queue for it, which also shows others that it lives.
 */
export class RollCall {
  private listening: { readonly model: ChannelModel; readonly channel: Promise<Channel> } | undefined;
  /** All answers go by one channel: many may ask at once, and the broker may allow few. */
  private readonly replies: LazyChannel;

  constructor(
    private readonly publishing: BrokerConnection,
    private readonly topology: Topology,
    /** Name of this process's queue. */
    private readonly queue: string,
    private readonly self: () => Answer,
    private readonly clock: Clock,
  ) {
    this.replies = new LazyChannel(publishing);
  }

  /**
   * Makes certain that this process can be asked, and shows others that it lives. To be called now and then: somebody may delete
   * what it is asked by.
   */
  async present(model: ChannelModel): Promise<void> {
    if (this.listening?.model === model) {
      await this.presentAgain(this.listening.channel);
      return;
    }
    const channel = this.listen(model, () => this.absent(model));
    this.listening = { model, channel };
    channel.catch(() => this.absent(model)); // Whoever asked is told.
    await channel;
  }

  /**
   * Asks everybody. Those that do not answer within a second are left out. Rejects while there is no connection, or when the
   * broker does not answer within five seconds.
   */
  async call(): Promise<ProcessInfo[]> {
    const own = this.self().name;
    return (await this.answers()).map(({ name, shards }) => ({ name, shards, self: name === own }));
  }

  /** As {@link call}, with all that each says. */
  async answers(): Promise<Answer[]> {
    const model = this.publishing.current;
    if (model === undefined)
      throw new Error('RabbitMQ cannot be reached at present, so nobody can be asked: try again later.');
    const asking = onChannel(model, async (channel) => {
      await this.topology.declareProcesses(channel);
      const { members } = await this.topology.declareMembers(channel);
      return this.collect(channel, members);
    });
    return within(this.clock, DEADLINE, asking).catch((error: unknown) => {
      if (error instanceof MississippiError) throw error;
      throw new Error(`RabbitMQ was not able to tell who takes part (${reasonOf(error)}): try again later.`, {
        cause: error,
      });
    });
  }

  private async collect(channel: Channel, members: number): Promise<Answer[]> {
    const answers: Answer[] = [];
    await new Promise<void>((resolve, reject) => {
      const timer = this.clock.after(PATIENCE, resolve);
      const answered = (message: ConsumeMessage | null): void => {
        if (message === null) return;
        answers.push(JSON.parse(message.content.toString()) as Answer);
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

  /** With the exchange its bindings go, and nobody is told. */
  private async presentAgain(listening: Promise<Channel>): Promise<void> {
    const channel = await listening;
    try {
      await this.topology.declareProcess(channel, this.queue);
    } catch (error) {
      if (this.listening?.channel === listening) throw error;
      // The channel has gone: the next call opens another, or tells why not.
    }
  }

  private async listen(model: ChannelModel, gone: () => void): Promise<Channel> {
    const channel = await openChannel(model);
    channel.on('close', gone);
    await this.topology.declareProcess(channel, this.queue);
    const asked = (message: ConsumeMessage | null): void => {
      if (message === null)
        void closeChannel(channel); // The queue was deleted.
      else void this.answer(message);
    };
    await this.topology.reading(channel.consume(this.queue, asked, { noAck: true }));
    return channel;
  }

  private absent(model: ChannelModel): void {
    if (this.listening?.model === model) this.listening = undefined;
  }

  private async answer(message: ConsumeMessage): Promise<void> {
    if (!wantsReply(message)) return;
    try {
      reply(await this.replies.get(), message, Buffer.from(JSON.stringify(this.self())));
    } catch {
      // The connection went in this moment; who asked waits no longer than its patience.
    }
  }
}
