import type { ShardConsumer, ShardReceiver } from '@mississippi/core/transport';
import type { Channel, ChannelModel } from 'amqplib';
import { closeChannel } from '../connection/channels.js';
import { reasonOf } from '../errors/reason.js';
import type { RabbitShardSession } from '../sessions/shard-session.js';
import type { SignalOwner, SignalResponder } from '../signals/signal-responder.js';
import { ShardClaimer, type Claim, type ClaimerParts } from './shard-claimer.js';

export interface OwnedShardsHooks {
  /** What is owned, or handed over, has changed. */
  readonly changed: () => void;
  /** Somebody else has a shard that was claimed. */
  readonly taken: (shard: number) => void;
  /** A shard was opened. */
  readonly opened: (shard: number) => void;
  /** A shard could not be opened, and is given back. */
  readonly notOpened: (shard: number) => void;
  /** A shard could not be claimed, while the connection is there. */
  readonly failed: (shard: number, error: unknown) => void;
}

/** The shards of this process, each with its session: from the claim until somebody else may have it. */
export class OwnedShards {
  /** Who handles the messages; `undefined` while nothing is claimed. */
  consumer: ShardConsumer | undefined;
  private readonly sessions = new Map<number, RabbitShardSession>();
  /** Sessions that are being handed over. */
  private readonly leaving = new Set<RabbitShardSession>();
  /** Whether all that is owned is to be handed over, what is being opened too. */
  private draining = false;
  /** Those that the core opens at this moment. */
  private readonly openings = new Set<Promise<void>>();
  private readonly claimer: ShardClaimer;

  constructor(
    private readonly parts: ClaimerParts,
    private readonly signals: SignalResponder,
    private readonly hooks: OwnedShardsHooks,
  ) {
    this.claimer = new ShardClaimer(parts, (session) => this.freed(session));
    parts.connection.on('down', (cause) => this.lose(cause));
  }

  /** Their indexes, in order. */
  get indexes(): number[] {
    return [...this.sessions.keys()].sort((a, b) => a - b);
  }

  /** Those that are being handed over. */
  get handedOver(): number[] {
    return [...this.leaving].map(({ shard }) => shard);
  }

  /** Those of which only one process can be the consumer, as was seen. */
  get verified(): number[] {
    return this.indexes.filter((shard) => this.claimer.verified.has(shard));
  }

  /** How many the core opens at this moment. */
  get opening(): number {
    return this.openings.size;
  }

  /** How many are to stay. */
  get staying(): number {
    return this.sessions.size - this.leaving.size;
  }

  has(shard: number): boolean {
    return this.sessions.has(shard);
  }

  /**
   * Claims a shard. Resolves when that was tried; the core opens it in the background.
   * @param verified whether it is known that only one process can be its consumer
   */
  async claim(shard: number, verified: boolean): Promise<void> {
    const { connection } = this.parts;
    const { consumer } = this;
    const model = connection.current;
    if (model === undefined || consumer === undefined || this.has(shard)) return;
    if (verified) this.claimer.know(shard);
    try {
      const claim = await this.claimer.claim(model, shard);
      if (claim === undefined) {
        this.hooks.taken(shard);
        return;
      }
      if (claim.session.ended || this.consumer !== consumer || connection.current !== model) {
        await closeChannel(claim.channel);
        return;
      }
      this.sessions.set(shard, claim.session);
      this.hooks.changed();
      this.open(consumer, model, claim);
    } catch (error) {
      if (connection.current === model) this.hooks.failed(shard, error);
    }
  }

  /** Resolves when the openings that are under way have ended. */
  async opened(): Promise<void> {
    await Promise.all(this.openings);
  }

  /**
   * Hands some over in the background: handlers may take their time, and claiming must not wait for them. It is those that are
   * wanted elsewhere, and then those that came last: in a rolling restart each goes back where it came from, and no further.
   */
  shed(count: number, wanted: readonly number[]): void {
    const staying = [...this.sessions.values()].filter((session) => !this.leaving.has(session));
    const opened = staying.filter(({ receiver }) => receiver !== undefined);
    const first = opened.filter(({ shard }) => wanted.includes(shard));
    const rest = opened.filter(({ shard }) => !wanted.includes(shard)).toReversed();
    for (const session of [...first, ...rest].slice(0, count)) this.give(session);
    this.hooks.changed();
  }

  /** Hands over all, in the background, and claims nothing until {@link consume}. */
  drain(): void {
    this.consumer = undefined;
    this.draining = true;
    this.shed(Infinity, []);
  }

  /** Claims for somebody who handles the messages, from now on or again. */
  consume(consumer: ShardConsumer): void {
    this.consumer = consumer;
    this.draining = false;
  }

  /** All are lost. */
  lose(cause: Error): void {
    for (const session of this.sessions.values()) session.lose(cause);
  }

  /** All are lost, and free when it resolves. */
  async abandon(cause: Error): Promise<void> {
    await Promise.all([...this.sessions.values()].map((session) => session.abandon(cause)));
  }

  private give(session: RabbitShardSession): void {
    this.leaving.add(session);
    void this.handOver(session);
  }

  /** Nothing starts, what runs settles, the channel closes, and only then somebody else can own the shard. */
  private async handOver(session: RabbitShardSession): Promise<void> {
    try {
      await session.receiver?.release();
      await session.close();
    } finally {
      this.leaving.delete(session);
      this.hooks.changed();
    }
  }

  /** The core may have to ask a store first, and claiming must not wait for that. */
  private open(consumer: ShardConsumer, model: ChannelModel, claim: Claim): void {
    const opening = this.begin(consumer, claim)
      .catch((error: unknown) => {
        if (this.parts.connection.current === model) this.hooks.failed(claim.session.shard, error);
      })
      .finally(() => this.openings.delete(opening));
    this.openings.add(opening);
  }

  private async begin(consumer: ShardConsumer, { channel, session }: Claim): Promise<void> {
    let receiver: ShardReceiver;
    try {
      receiver = await consumer.open(session);
    } catch (error) {
      this.hooks.notOpened(session.shard);
      const { shard } = session;
      this.parts.warnings.warnOf('claim', shard, `Shard ${shard} cannot be consumed yet: ${reasonOf(error)}`);
      await session.close();
      return;
    }
    this.hooks.opened(session.shard);
    if (!session.begin(receiver)) return;
    if (this.draining) {
      this.give(session);
      return;
    }
    try {
      await this.serveSignals(channel, session, receiver);
    } catch (error) {
      // The shard was given back before the broker had answered: its channel closed with the question open.
      if (!session.givenBack) throw error;
    }
  }

  private async serveSignals(channel: Channel, session: RabbitShardSession, receiver: ShardReceiver): Promise<void> {
    const { topology } = this.parts;
    const { shard } = session;
    const again = (): void => {
      if (session.ended) return;
      const declared = topology.declareSignals(channel, shard);
      declared
        .then(() => this.serveSignals(channel, session, receiver))
        .catch((error: unknown) => session.fail(error as Error));
    };
    const owner: SignalOwner = { receiver, requested: (tag, returned) => session.requested(tag, returned) };
    // It stops reading as soon as it is given back.
    if (!session.ended) await topology.reading(this.signals.serve(channel, shard, owner, again));
  }

  private freed(session: RabbitShardSession): void {
    if (this.sessions.get(session.shard) === session) {
      this.sessions.delete(session.shard);
      this.tellLost(session);
    }
    this.hooks.changed();
  }

  /** That a connection was lost is told by the connection, once. */
  private tellLost({ shard, lostBy }: RabbitShardSession): void {
    const { connection, warnings } = this.parts;
    if (lostBy === undefined || connection.current === undefined || this.consumer === undefined) return;
    warnings.warnOf('lost', shard, `Shard ${shard} was lost, and is claimed again: ${reasonOf(lostBy)}`);
  }
}
