import { randomUUID } from 'node:crypto';
import { MississippiError, NobodyAnswersError } from '@mississippi/core';
import type { Clock } from '@mississippi/core/transport';
import type { Channel, ChannelModel, Options } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { onChannel } from '../connection/channels.js';
import { REPLY_TO } from '../connection/direct-reply.js';
import type { LazyChannel } from '../connection/lazy-channel.js';
import { within } from '../connection/timers.js';
import { decodeAnswer, encodeMail, type Answer, type Asked } from '../coordination/operator-mail.js';
import { decodeReport, type Report } from '../coordination/reports.js';
import { reasonOf } from '../errors/reason.js';
import type { Settings } from '../options/settings.js';
import type { Topology } from '../topology/topology.js';

/** How long the broker, and whoever coordinates, may take to say who takes part. Milliseconds. */
const DEADLINE = 5_000;
/** How long an operator waits at most. Milliseconds. */
const LONGEST_REQUEST = 60_000;

/** What is the matter where nobody answers, and what helps. */
const FROZEN =
  'RabbitMQ takes nothing, or the process that coordinates the others is frozen or has just ended: ask again in half a minute, when another has taken its ' +
  'place. If it stays, restart the process that hangs: nothing is lost';

/** The types of what is written. */
export const QUESTION = 'question';
export const REQUEST = 'request';

interface QuestionParts {
  readonly publishing: BrokerConnection;
  readonly topology: Topology;
  readonly settings: Settings;
  readonly clock: Clock;
}

/** What this process asks whoever coordinates, and has not been answered. */
export class CoordinatorQuestions {
  private readonly waiting = new Map<string, (content: Buffer) => void>();

  constructor(
    private readonly parts: QuestionParts,
    /** Where answers come back. */
    private readonly channel: LazyChannel,
  ) {}

  /** @throws when it cannot be read */
  answered(id: string, content: Buffer): void {
    this.waiting.get(id)?.(content);
  }

  /**
   * Asks whoever coordinates, or the process that he finds, for what an operator wants.
   * @param timeout milliseconds
   * @returns the last answer that came in time; `undefined` where none did
   */
  async request(asked: Asked, timeout: number): Promise<Answer | undefined> {
    const { clock } = this.parts;
    const id = randomUUID();
    const expiration = Math.ceil(Math.min(Math.max(timeout, 1), LONGEST_REQUEST));
    let last: Answer | undefined;
    const answered = (async () => {
      if (!(await this.isAnybodyThere(await this.connected()))) return;
      const channel = await this.channel.get();
      await new Promise<void>((resolve) => {
        this.waiting.set(id, (content) => {
          last = decodeAnswer(content);
          if (last.kind !== 'begun') resolve();
        });
        this.write(channel, id, { type: REQUEST, expiration }, encodeMail(asked));
      });
    })();
    await within(clock, expiration, answered)
      .catch(() => undefined) // Whoever asked sees that there is no answer.
      .finally(() => this.waiting.delete(id));
    return last;
  }

  /**
   * The reports of all who take part, as their coordinator knows them.
   * @throws {NobodyAnswersError} while there is no connection, or when nobody answers within five seconds
   */
  async ask(): Promise<Report[]> {
    const { publishing, clock } = this.parts;
    const model = publishing.current;
    if (model === undefined)
      throw new NobodyAnswersError('RabbitMQ cannot be reached at present. Ask again when the connection is back');
    const id = randomUUID();
    try {
      return await within(clock, DEADLINE, this.question(model, id));
    } catch (error) {
      if (error instanceof MississippiError) throw error;
      throw new NobodyAnswersError(`${reasonOf(error)}. ${FROZEN}`, error);
    } finally {
      this.waiting.delete(id);
    }
  }

  /** Waits for the connection, where it is away. */
  private async connected(): Promise<ChannelModel> {
    const { publishing } = this.parts;
    while (publishing.current === undefined) {
      await new Promise<void>((resolve) => publishing.once('up', () => resolve()));
    }
    return publishing.current;
  }

  private async isAnybodyThere(model: ChannelModel): Promise<boolean> {
    const { topology, settings } = this.parts;
    if (!settings.declares) return (await topology.memberCount(model)) > 0;
    return onChannel(model, async (channel) => {
      await topology.declareCoordinator(channel);
      return (await topology.declareMembers(channel)) > 0;
    });
  }

  private async question(model: ChannelModel, id: string): Promise<Report[]> {
    if (!(await this.isAnybodyThere(model))) return [];
    const channel = await this.channel.get();
    return new Promise((resolve) => {
      this.waiting.set(id, (content) => resolve(readRoll(content)));
      this.write(channel, id, { type: QUESTION, expiration: DEADLINE }, Buffer.alloc(0));
    });
  }

  private write(channel: Channel, id: string, options: Pick<Options.Publish, 'type' | 'expiration'>, body: Buffer) {
    const addressed = { ...options, correlationId: id, replyTo: REPLY_TO };
    channel.publish('', this.parts.topology.names.coordinator, body, addressed);
  }
}

/** Of another number of shards too. */
function readRoll(content: Buffer): Report[] {
  const reports = JSON.parse(content.toString()) as string[];
  return reports.map((text) => decodeReport(Buffer.from(text), Infinity));
}
