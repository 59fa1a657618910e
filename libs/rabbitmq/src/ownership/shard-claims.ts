import { randomBytes } from 'node:crypto';
import type { ShardConsumer } from '@mississippi/core/transport';
import type { ChannelModel } from 'amqplib';
import { Coordinator } from '../coordination/coordinator.js';
import { Member } from '../coordination/member.js';
import type { MemberShards } from '../coordination/ports.js';
import { RabbitMqAccessError, RabbitMqSetupError, SharedQueueError } from '../errors/rabbitmq.errors.js';
import { reasonOf } from '../errors/reason.js';
import type { SignalResponder } from '../signals/signal-responder.js';
import type { CoordinationLink } from './coordination-link.js';
import { listOf } from './list-of.js';
import type { Membership } from './membership.js';
import { OpeningTrials } from './opening-trials.js';
import { OwnedShards } from './owned-shards.js';
import { RestingShards } from './resting-shards.js';
import type { ClaimerParts } from './shard-claimer.js';
import { Strangers } from './strangers.js';

/** How many claims are under way at once. */
const PARALLEL = 32;

/** A shard has a channel, another one while its side queue is read, and as quorum one for its lock. */
const CHANNELS_PER_SHARD = { classic: 2, quorum: 3 };
/** For what belongs to no shard. */
const OTHER_CHANNELS = 8;

/** How long a shard that could not be declared or claimed is left alone, the first time in a row. Milliseconds. */
const REST = 500;
/** How long one that could not be opened is. Milliseconds. */
const LONG_REST = 2_000;

/** For how long a shard has no owner until that is told. Milliseconds. */
const UNSERVED = 10_000;
/** How often the coordinator makes certain that nobody has deleted what is remembered. Milliseconds. */
const REMEMBER = 5_000;
/** A coordinator looks five times a second; who has not for so long is none any more. Milliseconds. */
const COORDINATING = 2_000;

/** Who takes part. */
export interface Identity {
  readonly id: string;
  readonly name: string;
}

/** Claims this process's share of the shards and keeps it: what the coordinator says, who may be this process. */
export class ShardClaims implements MemberShards {
  private readonly shards: OwnedShards;
  private readonly strangers: Strangers;
  private readonly resting: RestingShards;
  private readonly trials: OpeningTrials;
  private readonly member: Member;
  /** What keeps this process from starting. */
  private refusal: Error | undefined;
  private saidMost = false;
  private stopped = false;
  private consumer: ShardConsumer | undefined;
  /** Whether an operator has it claim nothing. */
  paused = false;
  /** Since when each shard has had no owner. */
  private readonly unserved = new Map<number, number>();
  /** When it was last made certain that what is remembered is there, and on which connection. */
  private remembered: { readonly model: ChannelModel; readonly at: number } | undefined;
  /** When this process, as the coordinator, last looked at what nobody owns. */
  private coordinatedAt = -Infinity;

  constructor(
    private readonly parts: ClaimerParts,
    signals: SignalResponder,
    private readonly membership: Membership,
    private readonly link: CoordinationLink,
    { id, name }: Identity,
  ) {
    const { connection, topology, settings, clock } = parts;
    this.resting = new RestingShards(clock);
    this.trials = new OpeningTrials(clock);
    this.shards = new OwnedShards(parts, signals, {
      changed: () => this.member.changed(),
      taken: (shard) => this.resting.add(shard, REST),
      opened: (shard) => {
        this.resting.forget(shard);
        this.trials.succeeded();
      },
      notOpened: (shard) => {
        this.resting.add(shard, LONG_REST);
        this.trials.failed();
      },
      failed: (shard, error) => this.failed(shard, error),
    });
    this.strangers = new Strangers(topology, clock, parts.logger);
    const { application, totalCount, weight, claimInterval } = settings;
    this.member = new Member(
      { id, name, application, totalCount, weight, interval: claimInterval },
      link,
      this,
      clock,
      {
        prepare: () => this.prepare(),
        failed: (error) => this.lookFailed(error),
        paused: (types) => this.consumer?.pauseTypes?.(types),
        coordinator: () => this.coordinator(),
      },
    );
    link.obey = (order) => this.member.obey(order);
    link.operated = ({ paused }) => {
      if (this.guarded) return { kind: 'guarded', process: name };
      this.setIntake(paused);
      return { kind: 'done' };
    };
    connection.on('down', () => {
      this.membership.forget();
      this.member.changed();
    });
    connection.on('up', () => this.awake());
    link.reconnected = () => this.awake();
    link.notLookedAt = (shard, error) => this.refused(shard, error);
  }

  /** Indexes of the shards that this process owns, in order. */
  get owned(): number[] {
    return this.shards.indexes;
  }

  get connected(): boolean {
    return this.parts.connection.current !== undefined;
  }

  get leaving(): readonly number[] {
    return this.shards.handedOver;
  }

  get unable(): readonly number[] {
    return this.resting.shards;
  }

  get verified(): readonly number[] {
    return this.shards.verified;
  }

  get guarded(): boolean {
    return this.consumer?.takesActions === false;
  }

  get most(): number {
    if (this.paused) return 0;
    const { shards, trials } = this;
    const trying = shards.staying + Math.max(0, trials.most - shards.opening);
    return Math.min(this.parts.settings.maxShards, this.mostShards(), trying);
  }

  /**
   * Joins and claims its share. Resolves when each shard of it was tried once.
   * @throws {RabbitMqSetupError} when RabbitMQ does not make a process the only consumer of its shards
   * @throws {RabbitMqAccessError} when the user lacks a right
   */
  async start(consumer: ShardConsumer): Promise<void> {
    if (this.stopped) return;
    this.consumer = consumer;
    this.shards.consume(consumer);
    await this.member.start();
    await this.shards.opened();
    const { refusal } = this;
    if (refusal === undefined) return;
    await this.close();
    throw refusal;
  }

  /** Has this process hand over what it owns and claim nothing, or take part again. */
  setIntake(paused: boolean): void {
    if (this.paused === paused || this.stopped || this.consumer === undefined) return;
    this.paused = paused;
    this.parts.logger.warn(
      paused
        ? 'An operator has paused the intake of this process: it hands its shards over, and claims none until that is resumed.'
        : 'An operator has resumed the intake of this process: it claims its share of the shards again.',
    );
    if (paused) this.shards.drain();
    else this.shards.consume(this.consumer);
    this.member.changed();
  }

  /** Leaves: claims nothing any more, and counts no more for the others' share. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.shards.consumer = undefined;
    // Without its channels it has left already.
    this.member.retire().catch(() => undefined);
    this.membership.leave().catch(() => undefined);
  }

  /** Ends for good; sessions that are still open are lost. */
  async close(): Promise<void> {
    this.stop();
    await this.shards.abandon(new Error('the transport was closed'));
    await this.member.stop().catch(() => undefined); // The others find out by themselves.
  }

  async claim(shards: readonly number[], verified: readonly number[]): Promise<void> {
    const known = new Set(verified);
    const left = shards.values();
    const work = async (): Promise<void> => {
      for (const shard of left) await this.shards.claim(shard, known.has(shard));
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }

  shed(count: number, wanted: readonly number[]): void {
    this.shards.shed(count, wanted);
  }

  private get coordinates(): boolean {
    return this.parts.clock.now() - this.coordinatedAt < COORDINATING;
  }

  private awake(): void {
    if (this.shards.consumer !== undefined) this.member.awake();
  }

  private async prepare(): Promise<void> {
    const { connection, survey, topology, clock } = this.parts;
    const model = connection.current!;
    const { remembered } = this;
    const isDue = this.coordinates && remembered !== undefined && clock.now() - remembered.at >= REMEMBER;
    if (remembered?.model !== model || isDue) {
      // Somebody may have deleted it, and another app would start beside this one.
      await topology.declareMemory(await survey.get());
      this.remembered = { model, at: clock.now() };
    }
    // Who is not counted can own shards all the same.
    await this.membership.join().catch((error: unknown) => this.lookFailed(error));
  }

  private coordinator(): Coordinator {
    const { settings, clock } = this.parts;
    const coordinator = new Coordinator(randomBytes(8).toString('hex'), settings.totalCount, this.link, clock, {
      looked: (unserved, foreign) => {
        this.coordinatedAt = clock.now();
        this.tellUnserved(unserved);
        this.strangers.look(this.parts.survey, foreign).catch((error: unknown) => this.lookFailed(error));
      },
      failed: (error) => this.lookFailed(error),
    });
    return coordinator;
  }

  /** Nothing is claimed while the broker is away; the next look comes. */
  private lookFailed(error: unknown): void {
    const { connection, warnings } = this.parts;
    if (error instanceof RabbitMqAccessError || error instanceof RabbitMqSetupError) this.refusal ??= error;
    if (connection.current !== undefined && !this.stopped)
      warnings.warn(
        'looking',
        `Sharing the shards with other processes failed, and is tried again: ${reasonOf(error)}`,
      );
  }

  /** How many shards the channels of the connection are enough for. It is said once when that is less than is wanted. */
  private mostShards(): number {
    const { connection, settings, logger } = this.parts;
    const { channelMax } = connection.limits ?? { channelMax: Infinity };
    const most = Math.floor((channelMax - OTHER_CHANNELS) / CHANNELS_PER_SHARD[settings.quorum ? 'quorum' : 'classic']);
    if (!this.saidMost && most < Math.min(settings.maxShards, settings.totalCount)) {
      this.saidMost = true;
      logger.warn(
        `This process owns at most ${most} shards, because RabbitMQ allows ${channelMax} channels on a connection: raise channel_max, or start more processes.`,
      );
    }
    return most;
  }

  /** A shard could not be declared or claimed. The others go on. */
  private failed(shard: number, error: unknown): void {
    this.resting.add(shard, REST);
    this.refused(shard, error);
  }

  private refused(shard: number, error: unknown): void {
    if (error instanceof RabbitMqAccessError || error instanceof SharedQueueError) this.refusal ??= error;
    this.parts.warnings.warnOf('claim', shard, `Shard ${shard} cannot be consumed yet: ${reasonOf(error)}`);
  }

  private tellUnserved(shards: readonly number[]): void {
    const { settings, warnings, clock } = this.parts;
    const now = clock.now();
    for (const shard of this.unserved.keys()) if (!shards.includes(shard)) this.unserved.delete(shard);
    for (const shard of shards) if (!this.unserved.has(shard)) this.unserved.set(shard, now);
    const long = shards.filter((shard) => now - this.unserved.get(shard)! >= UNSERVED).sort((a, b) => a - b);
    if (long.length === 0) return;
    const limit = settings.maxShards === Infinity ? '' : ` (maxShards is ${settings.maxShards} here)`;
    warnings.warn(
      'unserved',
      `Nobody consumes the shards ${listOf(long)}: each process has as many as it may${limit}, or was refused these, as other lines say then, or an operator has paused its intake. Start more processes, or raise maxShards.`,
    );
  }
}
