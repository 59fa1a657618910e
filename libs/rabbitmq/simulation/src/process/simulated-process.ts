import { Coordinator } from '../../../src/coordination/coordinator.js';
import { Member } from '../../../src/coordination/member.js';
import type { Auditor } from '../auditor.js';
import type { Broker } from '../broker/broker.js';
import { openChannel } from '../broker/channel.js';
import { Connection, type Network } from '../broker/connection.js';
import type { Deviations } from '../deviations.js';
import type { Range } from '../time/dice.js';
import { ProcessClock } from '../time/process-clock.js';
import type { Place, Traits } from './place.js';
import { SimulatedLink } from './simulated-link.js';
import { SimulatedShards } from './simulated-shards.js';

/** How long a process waits before it connects again, and how long that takes. Milliseconds. */
const RECONNECTS: Range = [100, 600];
/** How often a coordinator makes certain of what is remembered, as in `ShardClaims`. Milliseconds. */
const REMEMBER = 5_000;

/** When the broker learns of the end of each connection. Milliseconds. */
export interface Noticed {
  readonly consuming: Range;
  readonly publishing: Range;
}

/** What all processes share. */
export interface World {
  readonly network: Network;
  readonly broker: Broker;
  readonly auditor: Auditor;
  readonly shards: number;
  readonly deviations: Deviations;
}

/** A process: the member and the coordinator of the library, on a simulated broker. */
export class SimulatedProcess implements Place {
  readonly clock: ProcessClock;
  consuming: Connection | undefined;
  publishing: Connection | undefined;
  readonly shards: SimulatedShards;
  /** What failed in it, last. */
  failure: unknown;
  private readonly link: SimulatedLink;
  private readonly member: Member;
  private joinedOn: Connection | undefined;
  private remembered: { readonly on: Connection; readonly at: number } | undefined;
  private coordinators = 0;
  private hasCoordinated = false;
  private connections = 0;
  private isStopping = false;

  constructor(
    readonly id: string,
    private readonly world: World,
    readonly traits: Traits,
  ) {
    const { network, shards } = world;
    this.clock = new ProcessClock(network.clock);
    this.link = new SimulatedLink(this);
    this.shards = new SimulatedShards(this);
    const { weight, interval } = traits;
    const settings = { id, name: id, application: 'simulation', totalCount: shards, weight, interval };
    const hooks = {
      prepare: () => this.prepare(),
      failed: (error: unknown) => void (this.failure = error),
      paused: () => undefined,
      coordinator: () => this.coordinator(),
    };
    this.member = new Member(settings, this.link, this.shards, this.clock, hooks, () => network.dice.next());
    this.shards.changed = () => this.member.changed();
  }

  get broker(): Broker {
    return this.world.broker;
  }

  get auditor(): Auditor {
    return this.world.auditor;
  }

  get deviations(): Deviations {
    return this.world.deviations;
  }

  /** Whether it takes part: it neither ends nor is dead. */
  get isServing(): boolean {
    return !this.isStopping && !this.clock.isDead;
  }

  get isCoordinating(): boolean {
    return this.broker.coordination.active?.channel.connection === this.consuming && this.consuming !== undefined;
  }

  /** Resolves as `Member.start` does. */
  async start(): Promise<void> {
    this.connectPublishing();
    this.connectConsuming();
    await this.member.start();
  }

  /** Ends as it should: hands over everything, and leaves. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.member.retire().catch(() => undefined);
    this.leave().catch(() => undefined);
    await this.shards.release();
    await this.member.stop().catch(() => undefined);
    this.consuming?.close();
    this.publishing?.close();
    this.clock.kill();
  }

  /** Dies at once; the broker learns of it soon. */
  kill({ consuming, publishing }: Noticed): void {
    this.clock.kill();
    const { dice } = this.world.network;
    this.consuming?.endAfter(dice.between(consuming));
    this.publishing?.endAfter(dice.between(publishing));
  }

  /** Stops running. @param dropped when the broker drops its connections */
  freeze(dropped: Noticed): void {
    this.clock.freeze();
    this.dropWhileFrozen(this.consuming, dropped.consuming);
    this.dropWhileFrozen(this.publishing, dropped.publishing);
  }

  wake(): void {
    this.clock.wake();
  }

  /** A connection is lost; the broker and the process learn of it when they do. @param noticed milliseconds */
  lose(which: 'consuming' | 'publishing', noticed: Range): void {
    const { dice } = this.world.network;
    const connection = this[which];
    connection?.endAfter(dice.between(noticed));
    connection?.loseAfter(dice.between(noticed));
  }

  async pause(range: Range): Promise<void> {
    await new Promise<void>((resolve) => {
      this.clock.after(this.world.network.dice.between(range), resolve);
    });
  }

  /** @param isBlocked whether the broker has told so */
  block(isBlocked: boolean): void {
    const { publishing } = this;
    if (publishing === undefined) return;
    openChannel(publishing).deliver(() => void (this.link.isBlocked = isBlocked));
  }

  private dropWhileFrozen(connection: Connection | undefined, dropped: Range): void {
    const { clock, dice } = this.world.network;
    clock.after(dice.between(dropped), () => {
      if (!this.clock.isFrozen) return;
      connection?.end();
      connection?.loseAfter(0);
    });
  }

  private connectConsuming(): void {
    const connection: Connection = this.connect(() => {
      if (this.consuming !== connection) return;
      this.consuming = undefined;
      this.shards.lose();
      this.reconnect(() => this.connectConsuming());
    });
    this.consuming = connection;
  }

  private connectPublishing(): void {
    const connection: Connection = this.connect(() => {
      if (this.publishing !== connection) return;
      this.publishing = undefined;
      this.link.isBlocked = false;
      this.reconnect(() => this.connectPublishing());
    });
    this.publishing = connection;
    const { broker } = this;
    const replies = openChannel(connection);
    const { order: deviate } = this.deviations;
    broker.publishes(connection);
    broker.mailboxes.set(connection.id, {
      connection,
      deliver: (order) => replies.deliver(() => this.member.obey(deviate?.(order) ?? order)),
    });
    if (broker.isAlarmed) this.block(true);
  }

  private connect(lost: () => void): Connection {
    const connection: Connection = new Connection(`${this.id}/${++this.connections}`, this.world.network, this.clock, {
      ended: () => this.broker.ended(connection),
      lost,
    });
    return connection;
  }

  private reconnect(connect: () => void): void {
    void this.pause(RECONNECTS).then(() => {
      if (this.isStopping) return;
      connect();
      this.member.awake();
    });
  }

  private async leave(): Promise<void> {
    const { joinedOn, broker } = this;
    if (joinedOn === undefined) return;
    broker.operations.add('leave');
    await openChannel(joinedOn).request(() => broker.members.delete(joinedOn));
  }

  private async prepare(): Promise<void> {
    const { consuming, broker, clock, remembered } = this;
    if (consuming === undefined) throw new Error('there is no connection');
    const isDue = this.hasCoordinated && remembered !== undefined && clock.now() - remembered.at >= REMEMBER;
    if (remembered?.on !== consuming || isDue) {
      broker.operations.add('remember');
      await openChannel(consuming).request(() => undefined, 2);
      this.remembered = { on: consuming, at: clock.now() };
    }
    if (this.joinedOn === consuming || this.isStopping) return;
    broker.operations.add('join');
    await openChannel(consuming).request(() => broker.members.add(consuming), 2);
    this.joinedOn = consuming;
  }

  private coordinator(): Coordinator {
    const { link, clock, world } = this;
    return new Coordinator(`${this.id}.${++this.coordinators}`, world.shards, link, clock, {
      looked: () => void (this.hasCoordinated = true),
      failed: (error) => void (this.failure = error),
    });
  }
}
