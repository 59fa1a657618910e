import type { Clock } from '@mississippi/core/transport';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { closeChannel, onChannel, openChannel, openConfirmChannel } from '../connection/channels.js';
import { REPLY_TO } from '../connection/direct-reply.js';
import { LazyChannel } from '../connection/lazy-channel.js';
import { isThere } from '../connection/liveness.js';
import { within } from '../connection/timers.js';
import {
  decodeAsked,
  decodeIntake,
  encodeMail,
  type Answer,
  type IntakeRequest,
} from '../coordination/operator-mail.js';
import { decodePauses, encodePauses, type TypePauses } from '../coordination/pauses.js';
import type { CoordinatorBroker, Inbox, Mail, MemberBroker } from '../coordination/ports.js';
import {
  decodeOrder,
  decodeReport,
  encodeOrder,
  encodeReport,
  type Order,
  type Report,
} from '../coordination/reports.js';
import { isInUse } from '../errors/reply-codes.js';
import type { Settings } from '../options/settings.js';
import type { Topology } from '../topology/topology.js';
import { CoordinatorQuestions, QUESTION, REQUEST } from './coordinator-questions.js';
import type { Membership } from './membership.js';

/** How long what is written to a coordinator waits for one. Milliseconds. */
const REPORT_EXPIRES = 30_000;
/** How long the broker may take to keep something. Milliseconds. */
const KEEPING = 5_000;
/** How long the channel may take to open. Milliseconds. */
const OPENING = 2_000;
/** More than any number of processes; without a prefetch quorum queues give 2,000 (RabbitMQ 3.10 to 4.0). */
const PREFETCH = 65_535;

/** The types of what is written. */
const REPORT = 'report';
const ORDER = 'order';
const ROLL = 'roll';
const INTAKE = 'intake';
const ANSWER = 'answer';
const PAUSES = 'pauses';
const MARK = 'mark';

interface LinkParts {
  readonly publishing: BrokerConnection;
  readonly consuming: BrokerConnection;
  /** Any channel of the consuming connection. */
  readonly survey: LazyChannel;
  readonly topology: Topology;
  readonly settings: Settings;
  readonly membership: Membership;
  readonly clock: Clock;
}

/**
 * How processes and their coordinator reach one another: into the coordinator's queue, which one of them consumes, and back by
 * direct reply-to.
 */
export class CoordinationLink implements CoordinatorBroker, MemberBroker {
  /** Gets the coordinator's orders. */
  obey: (order: Order) => void = () => undefined;
  /** Has this process do what an operator asks of it. */
  operated: (request: IntakeRequest) => Answer = () => ({ kind: 'unknown' });
  /** Told of a shard that cannot be looked at, and why. */
  notLookedAt: (shard: number, error: unknown) => void = () => undefined;
  /** Called when what is reported can be answered again: where to has changed. */
  reconnected: () => void = () => undefined;
  private readonly channel: LazyChannel;
  /** What this process asks whoever coordinates. */
  readonly questions: CoordinatorQuestions;

  constructor(private readonly parts: LinkParts) {
    parts.publishing.on('up', () => this.reconnected());
    this.channel = new LazyChannel(parts.publishing, {
      prepare: (channel) =>
        channel.consume(REPLY_TO, (message) => message !== null && this.told(message), { noAck: true }),
    });
    this.questions = new CoordinatorQuestions(parts, this.channel);
  }

  get blocked(): boolean {
    return this.parts.publishing.blocked || this.parts.publishing.current === undefined;
  }

  /** Resolves when the broker has got everything that was reported. */
  close(): Promise<void> {
    return this.channel.close();
  }

  async isCoordinated(): Promise<boolean> {
    const { topology, survey } = this.parts;
    return (await topology.declareCoordinator(await survey.get())).consumerCount > 0;
  }

  async campaign(inbox: Inbox, ended: () => void): Promise<{ close(): Promise<void> }> {
    const { consuming, topology, settings } = this.parts;
    const channel = await openChannel(modelOf(consuming));
    const close = (): Promise<void> => closeChannel(channel);
    channel.once('close', ended);
    try {
      await channel.prefetch(PREFETCH);
      await topology.reading(
        channel.consume(
          topology.names.coordinator,
          (message) => {
            if (message === null)
              void close(); // The queue was deleted.
            else this.came(channel, message, inbox);
          },
          { exclusive: !settings.quorum, consumerTag: topology.tags.coordinator },
        ),
      );
    } catch (error) {
      await close();
      if (!isInUse(error)) throw error; // Somebody else was quicker.
    }
    return { close };
  }

  async consumers(shard: number): Promise<number | undefined> {
    const { topology, survey, consuming } = this.parts;
    const model = consuming.current;
    if (model === undefined) return undefined;
    const look = async (channel: Channel): Promise<number> =>
      (await topology.declareShard(channel, shard)).consumerCount;
    try {
      // Where it fails, the channel is gone, with the looks at others that were under way: each is asked for by itself then.
      return await survey
        .get()
        .then(look)
        .catch(() => onChannel(model, look));
    } catch (error) {
      if (consuming.current === model) this.notLookedAt(shard, error);
      return undefined;
    }
  }

  /** What keeps the queue of members away stops nothing else. */
  members(): Promise<number | undefined> {
    return this.parts.membership.count().catch(() => undefined);
  }

  /** On the connection that takes questions during an alarm too. */
  isAlive(address: string): Promise<boolean> {
    return isThere(modelOf(this.parts.consuming), address);
  }

  async report(report: Report): Promise<void> {
    const channel = await this.open();
    const { names } = this.parts.topology;
    channel.publish('', names.coordinator, encodeReport(report), {
      type: REPORT,
      replyTo: REPLY_TO,
      expiration: REPORT_EXPIRES,
    });
  }

  async order(address: string, order: Order): Promise<void> {
    const channel = await this.open();
    channel.publish('', address, encodeOrder(order), { type: ORDER });
  }

  async tell({ address, question }: Mail, reports: readonly Report[]): Promise<void> {
    if (address === undefined || question === undefined) return;
    const channel = await this.open();
    const body = Buffer.from(JSON.stringify(reports.map((report) => encodeReport(report).toString())));
    channel.publish('', address, body, { type: ROLL, correlationId: question });
  }

  async answer({ address, question }: Pick<Mail, 'address' | 'question'>, answer: Answer): Promise<void> {
    if (address === undefined || question === undefined) return;
    const channel = await this.open();
    channel.publish('', address, encodeMail(answer), { type: ANSWER, correlationId: question });
  }

  async forward(address: string, request: IntakeRequest): Promise<void> {
    const channel = await this.open();
    channel.publish('', address, encodeMail(request), { type: INTAKE });
  }

  async keep(pauses: TypePauses): Promise<void> {
    const { publishing, topology, clock } = this.parts;
    const channel = await within(clock, OPENING, openConfirmChannel(modelOf(publishing)));
    try {
      // Without an expiry, and on the disk: it is to outlive all processes, and the broker's own end.
      channel.publish('', topology.names.coordinator, encodePauses(pauses), { type: PAUSES, persistent: true });
      await within(clock, KEEPING, channel.waitForConfirms());
    } finally {
      await closeChannel(channel);
    }
  }

  async mark(id: string): Promise<void> {
    const channel = await this.open();
    const { coordinator } = this.parts.topology.names;
    channel.publish('', coordinator, Buffer.from(id), { type: MARK, expiration: REPORT_EXPIRES });
  }

  /** During an alarm the broker does not even open a channel. */
  private open(): Promise<Channel> {
    return within(this.parts.clock, OPENING, this.channel.get());
  }

  /** Something for the coordinator; what cannot be read is nobody's. */
  private came(channel: Channel, message: ConsumeMessage, inbox: Inbox): void {
    const { properties, fields, content } = message;
    const { replyTo, correlationId, type } = properties as Addressing;
    const mail: Mail = {
      address: replyTo,
      question: correlationId,
      again: fields.redelivered,
      settle: () => {
        try {
          channel.ack(message);
        } catch {
          // The channel closed in this moment: the next coordinator gets it again.
        }
      },
    };
    if (type === QUESTION) {
      inbox.asked(mail);
      return;
    }
    try {
      this.brought(type, content, mail, inbox);
    } catch {
      mail.settle();
    }
  }

  /** @throws when it cannot be read */
  private brought(type: string | undefined, content: Buffer, mail: Mail, inbox: Inbox): void {
    switch (type) {
      case REQUEST:
        return inbox.requested(decodeAsked(content), mail);
      case PAUSES:
        return inbox.kept(decodePauses(content), mail);
      case MARK:
        return inbox.marked(content.toString(), mail);
      default:
        return inbox.reported(decodeReport(content, this.parts.settings.totalCount), mail);
    }
  }

  private serve(request: IntakeRequest): void {
    // Whoever asked sees that there is no answer.
    this.answer(request, this.operated(request)).catch(() => undefined);
  }

  /** An order, a request, or the answer to one. */
  private told({ properties, content }: ConsumeMessage): void {
    const { totalCount } = this.parts.settings;
    const { type, correlationId } = properties as Addressing;
    try {
      if (type === ORDER) this.obey(decodeOrder(content, totalCount));
      else if (type === INTAKE) this.serve(decodeIntake(content));
      else this.questions.answered(correlationId ?? '', content);
    } catch {
      // It is of another version; the next one may be readable.
    }
  }
}

/** What is read of a message's properties. */
interface Addressing {
  readonly type?: string;
  readonly replyTo?: string;
  readonly correlationId?: string;
}

function modelOf({ current }: BrokerConnection): ChannelModel {
  if (current === undefined) throw new Error('there is no connection');
  return current;
}
