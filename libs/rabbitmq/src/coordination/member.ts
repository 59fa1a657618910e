import type { Clock, Timer } from '@mississippi/core/transport';
import { NOTHING_PAUSED } from './pauses.js';
import type { Inbox, MemberBroker, MemberShards } from './ports.js';
import type { Order, Report } from './reports.js';
import { Reporting, type Said } from './reporting.js';
import { SafetySweep } from './safety-sweep.js';

/** How long a start waits for the first order. Milliseconds. */
const PATIENCE = 3_000;
/** How often all together look whether anybody coordinates, at most in a second. */
const LOOKS = 40;

/** What a member is and wants. */
export interface MemberSettings extends Pick<Report, 'id' | 'name' | 'application' | 'totalCount' | 'weight'> {
  /** How often it looks after itself, at most. Milliseconds. */
  readonly interval: number;
}

export interface MemberHooks {
  /** What is done at each look first. Rejects where nothing else is to be done. */
  readonly prepare: () => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** Other types of messages are paused than before. */
  readonly paused: (types: readonly string[]) => void;
  /** Makes what runs while this process coordinates. */
  readonly coordinator: () => Inbox & { stop(): void };
}

/**
 * A process that shares the shards with others: reports what it owns, does what the coordinator says, and is ready to coordinate
 * itself. Where nobody tells it anything, it looks for shards that nobody serves.
 */
export class Member {
  private readonly sweep: SafetySweep;
  private readonly reporting: Reporting;
  private timer: Timer | undefined;
  private candidacy: { close(): Promise<void> } | undefined;
  private ticking = false;
  /** Claims nothing any more, and tells what it still has. */
  private retiring = false;
  /** What it had then. */
  private had: readonly number[] = [];
  /** The order that was carried out last. */
  private done = '';
  /** The first report that tells of it. */
  private toldIn = 0;
  /** Those that wait for their turn. */
  private readonly orders: Order[] = [];
  private obeying = false;
  private members = 1;
  /** What it is to have rather than others, as was last told. */
  private home: readonly number[] | undefined;
  private homeSince = 0;
  /** What was last told. */
  private pauses = NOTHING_PAUSED;
  private readonly firsts: (() => void)[] = [];
  private firstDone = false;

  constructor(
    private readonly settings: MemberSettings,
    private readonly broker: MemberBroker,
    private readonly shards: MemberShards,
    private readonly clock: Clock,
    private readonly hooks: MemberHooks,
    private readonly random: () => number = Math.random,
  ) {
    this.reporting = new Reporting(broker, clock, () => this.current());
    this.sweep = new SafetySweep(settings.totalCount, broker, shards, clock, random);
  }

  /** Takes part. Resolves when the first order was carried out, or did not come for long, or the first look has failed. */
  async start(): Promise<void> {
    await this.tick();
    if (this.firstDone) return;
    await new Promise<void>((resolve) => {
      const timer = this.clock.after(PATIENCE, resolve);
      this.firsts.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Something may have changed that is to be reported. */
  changed(): void {
    this.reporting.changed();
  }

  /** The connection is there again: looks at once. */
  awake(): void {
    this.tickIn(0);
  }

  /** The coordinator says something. */
  obey(order: Order): void {
    if (this.retiring) return;
    this.members = order.members;
    if (this.home === undefined) this.homeSince = this.clock.now();
    this.home = order.home;
    this.takeOver(order.pauses);
    this.reporting.answered(order.seq);
    this.orders.push(order);
    void this.obeyAll();
  }

  /** Claims nothing any more and coordinates nobody; goes on telling what it still has. */
  async retire(): Promise<void> {
    if (this.retiring) return;
    this.retiring = true;
    this.had = this.shards.owned;
    this.timer?.cancel();
    this.orders.length = 0;
    this.first();
    this.changed();
    const { candidacy } = this;
    this.candidacy = undefined;
    await candidacy?.close();
  }

  /** Takes part no more, for good. */
  async stop(): Promise<void> {
    await Promise.all([this.reporting.end(), this.retire()]);
  }

  /** Before anything is claimed that may have such messages. */
  private takeOver(pauses = NOTHING_PAUSED): void {
    if (pauses.version <= this.pauses.version) return;
    this.pauses = pauses;
    this.hooks.paused(pauses.types);
    this.changed(); // Somebody waits until all know.
  }

  private async obeyAll(): Promise<void> {
    if (this.obeying) return;
    this.obeying = true;
    for (let order = this.orders.shift(); order !== undefined; order = this.orders.shift()) {
      if (order.shed > 0 || order.claim.length > 0) await this.carryOut(order);
      this.first();
    }
    this.obeying = false;
  }

  /**
   * Who hears nothing for some seconds is told the same again and again, and then reads all of it at once: what was ordered before
   * the coordinator knew of the first is done already.
   */
  private async carryOut({ id, seq, claim, verified, shed, wanted }: Order): Promise<void> {
    if (seq >= this.toldIn) {
      if (shed > 0) this.shards.shed(shed, wanted);
      if (claim.length > 0) await this.shards.claim(claim, verified);
      this.toldIn = this.reporting.next;
    }
    this.done = id;
    this.changed();
  }

  private first(): void {
    this.firstDone = true;
    for (const resolve of this.firsts.splice(0)) resolve();
  }

  private tickIn(delay: number): void {
    this.timer?.cancel();
    if (!this.retiring) this.timer = this.clock.after(delay, () => void this.tick());
  }

  /** Members look in turn, so that all together ask no more often than a few would. */
  private pause(): number {
    const { interval } = this.settings;
    const most = Math.max(interval, (this.members / LOOKS) * 1_000);
    return most * (0.75 + this.random() / 2);
  }

  private async tick(): Promise<void> {
    if (this.ticking || this.retiring) return;
    this.ticking = true;
    try {
      await this.look();
    } catch (error) {
      if (!this.retiring) this.hooks.failed(error);
      this.first();
    } finally {
      this.ticking = false;
      this.tickIn(this.pause());
    }
  }

  private async look(): Promise<void> {
    if (!this.shards.connected) {
      this.reporting.look(this.members);
      return;
    }
    await this.hooks.prepare();
    await this.seeToCoordinator();
    this.reporting.look(this.members);
    const alone = this.reporting.isUnheard;
    // Nobody tells how many share the work of looking.
    if (alone || !this.firstDone) this.members = (await this.broker.members()) || this.members;
    await this.sweep.look(alone, this.members);
  }

  /** What keeps the coordinator's queue away, such as a lost node, keeps nobody from the shards: they are looked for then. */
  private async seeToCoordinator(): Promise<void> {
    try {
      if (!(await this.broker.isCoordinated())) await this.stand();
    } catch (error) {
      if (!this.retiring) this.hooks.failed(error);
    }
  }

  private async stand(): Promise<void> {
    if (this.candidacy !== undefined) return;
    const coordinator = this.hooks.coordinator();
    let ended = false;
    const over = (): void => {
      ended = true;
      coordinator.stop();
      if (this.candidacy === candidacy) this.candidacy = undefined;
    };
    let candidacy: { close(): Promise<void> } | undefined;
    try {
      candidacy = await this.broker.campaign(coordinator, over);
    } catch (error) {
      coordinator.stop();
      throw error;
    }
    if (ended) return;
    if (this.retiring) await candidacy.close();
    else this.candidacy = candidacy;
  }

  private current(): Said {
    const { id, name, application, totalCount, weight } = this.settings;
    const { owned, unable, verified, paused, guarded } = this.shards;
    const { done, retiring, pauses, had, home } = this;
    const told = {
      ...(home === undefined ? {} : { home, homeAge: this.clock.now() - this.homeSince }),
      ...(pauses.version > 0 ? { pauses } : {}),
      ...(paused === true ? { paused } : {}),
      ...(guarded === true ? { guarded } : {}),
    } as const;
    const rest = { id, name, application, totalCount, weight, done, had, owned, unable, verified, ...told };
    if (retiring) return { ...rest, connected: false, leaving: owned, most: 0 };
    const { connected, leaving, most } = this.shards;
    return { ...rest, connected, leaving, most };
  }
}
