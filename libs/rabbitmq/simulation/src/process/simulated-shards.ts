import type { MemberShards } from '../../../src/coordination/ports.js';
import { OpeningTrials } from '../../../src/ownership/opening-trials.js';
import { RestingShards } from '../../../src/ownership/resting-shards.js';
import { openChannel, type Channel } from '../broker/channel.js';
import type { Connection } from '../broker/connection.js';
import type { Place } from './place.js';

/** How many claims are under way at once, as in `ShardClaims`. */
const PARALLEL = 32;
/** As in `ShardClaims`. Milliseconds. */
const REST = 500;
const LONG_REST = 2_000;

/** How often a claim goes to the broker and back until it is the consumer, and how often the question for a second one does. */
const CLAIM_TRIPS = 4;
const VERIFY_TRIPS = 2;

interface Session {
  readonly shard: number;
  readonly connection: Connection;
  readonly channel: Channel;
  state: 'opening' | 'open' | 'leaving' | 'ended';
}

/** The shards of a simulated process: what `ShardClaims` and `OwnedShards` do, without messages. */
export class SimulatedShards implements MemberShards {
  /** Whether anything is claimed. */
  isConsuming = true;
  changed: () => void = () => undefined;
  private readonly sessions = new Map<number, Session>();
  private readonly known = new Set<number>();
  private readonly resting: RestingShards;
  private readonly trials: OpeningTrials;

  constructor(private readonly place: Place) {
    this.resting = new RestingShards(place.clock);
    this.trials = new OpeningTrials(place.clock);
  }

  get connected(): boolean {
    return this.place.consuming !== undefined;
  }

  get owned(): readonly number[] {
    return [...this.sessions.keys()].sort((a, b) => a - b);
  }

  get leaving(): readonly number[] {
    return this.inState('leaving').map(({ shard }) => shard);
  }

  get unable(): readonly number[] {
    return this.resting.shards;
  }

  get verified(): readonly number[] {
    return this.owned.filter((shard) => this.known.has(shard));
  }

  get most(): number {
    const opening = this.inState('opening').length;
    const staying = this.sessions.size - this.inState('leaving').length;
    return Math.min(this.place.traits.maxShards, staying + Math.max(0, this.trials.most - opening));
  }

  async claim(shards: readonly number[], verified: readonly number[]): Promise<void> {
    const known = new Set(verified);
    const left = shards.values();
    const work = async (): Promise<void> => {
      for (const shard of left) {
        if (known.has(shard)) this.known.add(shard);
        await this.claimOne(shard);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }

  shed(count: number, wanted: readonly number[]): void {
    const opened = this.inState('open');
    const first = opened.filter(({ shard }) => wanted.includes(shard));
    const rest = opened.filter(({ shard }) => !wanted.includes(shard)).reverse();
    const order = this.place.deviations.shedsOldest ? opened : [...first, ...rest];
    for (const session of order.slice(0, count)) {
      session.state = 'leaving';
      this.handOver(session).catch(() => undefined); // The connection was lost, and the shard with it.
    }
    this.changed();
  }

  /** The connection is gone. */
  lose(): void {
    for (const session of this.sessions.values()) session.state = 'ended';
    this.sessions.clear();
    this.changed();
  }

  /** Hands over all; resolves when none is left. */
  async release(): Promise<void> {
    this.isConsuming = false;
    const sessions = [...this.sessions.values()].filter(({ state }) => state !== 'leaving');
    for (const session of sessions) session.state = 'leaving';
    await Promise.allSettled(sessions.map((session) => this.handOver(session)));
  }

  private async claimOne(shard: number): Promise<void> {
    const { consuming: connection, broker } = this.place;
    if (connection === undefined || !this.isConsuming || this.sessions.has(shard)) return;
    const channel = openChannel(connection);
    broker.operations.add('claim');
    try {
      await channel.request(() => broker.consume(shard, connection), CLAIM_TRIPS);
      await this.verify(shard, channel);
    } catch {
      if (connection.isOpen) this.resting.add(shard, REST);
      return;
    }
    const session: Session = { shard, connection, channel, state: 'opening' };
    if (!connection.isOpen) return;
    if (!this.isConsuming) {
      this.place.auditor.handled(shard, connection);
      await this.giveBack(session).catch(() => undefined); // The connection was lost, and the shard with it.
      return;
    }
    this.sessions.set(shard, session);
    this.changed();
    void this.open(session);
  }

  private async verify(shard: number, channel: Channel): Promise<void> {
    if (this.known.has(shard)) return;
    this.place.broker.operations.add('verify');
    await channel.request(() => undefined, VERIFY_TRIPS);
    this.known.add(shard);
  }

  /** The core opens it: it may ask a store, and fail. */
  private async open(session: Session): Promise<void> {
    const { traits } = this.place;
    await this.place.pause(traits.opening);
    if (session.state !== 'opening') return;
    if (!traits.unable(session.shard)) {
      session.state = 'open';
      this.resting.forget(session.shard);
      this.trials.succeeded();
      return;
    }
    this.resting.add(session.shard, LONG_REST);
    this.trials.failed();
    this.place.auditor.handled(session.shard, session.connection);
    await this.end(session).catch(() => undefined); // The connection was lost, and the shard with it.
  }

  private async handOver(session: Session): Promise<void> {
    const { deviations, traits, auditor } = this.place;
    if (deviations.freesBeforeItsHandlersEnd) await this.end(session);
    await this.place.pause(traits.handOver);
    auditor.handled(session.shard, session.connection);
    if (session.state !== 'ended') await this.end(session);
  }

  private async end(session: Session): Promise<void> {
    await this.giveBack(session);
    session.state = 'ended';
    if (this.sessions.get(session.shard) === session) this.sessions.delete(session.shard);
    this.changed();
  }

  private async giveBack({ shard, connection, channel }: Session): Promise<void> {
    const { broker } = this.place;
    broker.operations.add('give back');
    await channel.request(() => broker.release(shard, connection));
  }

  private inState(wanted: Session['state']): Session[] {
    return [...this.sessions.values()].filter(({ state }) => state === wanted);
  }
}
