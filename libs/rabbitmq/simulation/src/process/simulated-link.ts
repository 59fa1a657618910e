import type { CoordinatorBroker, Inbox, Mail, MemberBroker } from '../../../src/coordination/ports.js';
import type { Order, Report } from '../../../src/coordination/reports.js';
import { InUseError, type Letter, type Reader } from '../broker/coordinator-queue.js';
import { openChannel, type Channel } from '../broker/channel.js';
import type { Operation } from '../broker/operations.js';
import type { Place } from './place.js';

/** As in `CoordinationLink`. Milliseconds. */
const REPORT_EXPIRES = 30_000;
/** A channel is opened, and something is asked on it. */
const NEW_CHANNEL = 2;

/** What `CoordinationLink` does, on the simulated broker. */
export class SimulatedLink implements CoordinatorBroker, MemberBroker {
  /** The broker has told that it reads nothing that is published. */
  isBlocked = false;
  private surveys: Channel | undefined;
  private replies: Channel | undefined;

  constructor(private readonly place: Place) {}

  get blocked(): boolean {
    return this.isBlocked || this.place.publishing === undefined;
  }

  async isCoordinated(): Promise<boolean> {
    const { coordination } = this.place.broker;
    return (await this.ask('look for a coordinator', () => coordination.declare())) > 0;
  }

  async campaign(inbox: Inbox, ended: () => void): Promise<{ close(): Promise<void> }> {
    const { coordination, operations } = this.place.broker;
    const channel = openChannel(this.place.consuming);
    operations.add('campaign');
    channel.connection.expect(ended);
    let reader: Reader | undefined;
    const close = async (): Promise<void> => {
      await channel.request(() => coordination.gone((one) => one === reader)).catch(() => undefined);
      ended();
    };
    reader = { channel, got: (letter) => this.came(reader!, letter, inbox), cancelled: () => void close() };
    const active = reader;
    try {
      await channel.request(() => coordination.consume(active), NEW_CHANNEL);
    } catch (error) {
      ended();
      if (!(error instanceof InUseError)) throw error;
    }
    return { close };
  }

  async consumers(shard: number): Promise<number | undefined> {
    const { broker, deviations } = this.place;
    try {
      const count = await this.ask('look at a shard', () => (broker.consumers[shard] === undefined ? 0 : 1));
      return deviations.consumers?.(count) ?? count;
    } catch {
      return undefined;
    }
  }

  async members(): Promise<number | undefined> {
    const { broker, deviations } = this.place;
    try {
      const count = await this.ask('count members', () => broker.members.size);
      return deviations.counted?.(count) ?? count;
    } catch {
      return undefined;
    }
  }

  async isAlive(address: string): Promise<boolean> {
    const { broker, publishing } = this.place;
    const channel = openChannel(publishing);
    broker.operations.add('look at an address');
    return channel.request(() => broker.mailboxes.has(address), NEW_CHANNEL);
  }

  async report(report: Report): Promise<void> {
    const { broker, clock } = this.place;
    const channel = this.replying();
    const said = this.place.deviations.report?.(report) ?? report;
    const letter = {
      address: channel.connection.id,
      content: { report: said },
      expiresAt: clock.now() + REPORT_EXPIRES,
    };
    broker.operations.add('report');
    channel.send(() => broker.coordination.publish(letter));
  }

  async order(address: string, order: Order): Promise<void> {
    const { broker, deviations } = this.place;
    const channel = this.replying();
    broker.operations.add('order');
    channel.send(() => {
      if (deviations.everybodyObeys) for (const { deliver } of broker.mailboxes.values()) deliver(order);
      else broker.mailboxes.get(address)?.deliver(order);
    });
  }

  async mark(id: string): Promise<void> {
    const { broker, clock } = this.place;
    const channel = this.replying();
    const letter = {
      address: channel.connection.id,
      content: { mark: id },
      expiresAt: clock.now() + REPORT_EXPIRES,
    };
    broker.operations.add('mark');
    channel.send(() => broker.coordination.publish(letter));
  }

  async keep(): Promise<void> {
    throw new Error('nothing is paused in a simulation');
  }

  async tell(): Promise<void> {
    throw new Error('nobody asks in a simulation');
  }

  async answer(): Promise<void> {
    throw new Error('nobody asks in a simulation');
  }

  async forward(): Promise<void> {
    throw new Error('nobody asks in a simulation');
  }

  private came(reader: Reader, letter: Letter, inbox: Inbox): void {
    const { broker } = this.place;
    const { coordination, operations } = broker;
    const mail: Mail = {
      address: letter.address,
      question: 'question' in letter.content ? letter.content.question : undefined,
      again: letter.again,
      settle: () => {
        if (!reader.channel.connection.isOpen) return;
        operations.add('settle');
        reader.channel.send(() => coordination.settle(reader, letter));
      },
    };
    const { content } = letter;
    if ('report' in content) inbox.reported(content.report, mail);
    else if ('pauses' in content) inbox.kept(content.pauses, mail);
    else if ('mark' in content) inbox.marked(content.mark, mail);
    else inbox.requested(content.asked, mail);
  }

  /** Asks on the channel for looking. */
  private async ask<T>(operation: Operation, act: () => T): Promise<T> {
    const { consuming, broker } = this.place;
    if (this.surveys === undefined || this.surveys.connection !== consuming) this.surveys = openChannel(consuming);
    broker.operations.add(operation);
    return this.surveys.request(act);
  }

  /** The channel that publishes, whose answers come back on it. */
  private replying(): Channel {
    const { publishing } = this.place;
    if (this.replies === undefined || this.replies.connection !== publishing) this.replies = openChannel(publishing);
    return this.replies;
  }
}
