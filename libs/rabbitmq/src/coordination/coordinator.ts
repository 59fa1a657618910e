import type { Clock, Timer } from '@mississippi/core/transport';
import { DeathWatch } from './death-watch.js';
import { Homes } from './homes.js';
import { Members } from './members.js';
import { MissingMembers } from './missing-members.js';
import { planMoves } from './plan.js';
import type { Plan, Shedding } from './situation.js';
import { OperatorDesk } from './operator-desk.js';
import type { Asked } from './operator-mail.js';
import { PauseKeeper } from './pause-keeper.js';
import type { TypePauses } from './pauses.js';
import type { CoordinatorBroker, Inbox, Mail } from './ports.js';
import type { Order, Report } from './reports.js';
import { QueueEnd } from './queue-end.js';
import { UnownedShards } from './unowned-shards.js';

/** How often the members are counted, and shards looked at in turn. Milliseconds. */
const TICK = 200;
/** How many shards without a known owner are looked at in turn at each tick. */
const IN_TURN = 10;
/** For how long reports are collected before a plan is made. Milliseconds. */
const COLLECT = 5;
/** For how long members that the broker counts are waited for that have not reported yet, and how often they are counted meanwhile. Milliseconds. */
const PATIENCE = 1_000;
const COUNT_AGAIN = 50;
/** For how long what a member said before it left may come from the broker's hands. Milliseconds. */
const LATE = 60_000;
/** How many looks are under way at once, and how many there are before a plan is made of what they show. */
const PARALLEL = 64;
const LOOKS = 512;

/** What a coordinator tells whoever runs it. */
export interface CoordinatorHooks {
  /** At each tick: the shards that nobody may own, and those that are consumed by somebody who is no member. */
  readonly looked: (unserved: readonly number[], foreign: readonly number[]) => void;
  /** The broker could not be asked. */
  readonly failed: (error: unknown) => void;
}

/**
 * Knows from their reports who owns what, looks at what nobody owns, and tells each what to claim and how many to hand over.
 * There should be one; two would tell members different things, which costs time. The broker decides who owns what.
 */
export class Coordinator implements Inbox {
  private readonly members: Members;
  private readonly unowned = new UnownedShards();
  private readonly deaths: DeathWatch;
  private ticker: Timer | undefined;
  private next: { readonly at: number; readonly timer: Timer } | undefined;
  private planning = false;
  private again = false;
  private stopped = false;
  private orders = 0;
  private unserved: readonly number[] = [];
  /** Reports of the coordinator before of which it is not known yet whether their members live. */
  private reviving = 0;
  private readonly missing: MissingMembers;
  private readonly keeper: PauseKeeper;
  private readonly desk: OperatorDesk;
  /** Before it is reached nobody is told anything, since something may be paused. */
  private readonly end: QueueEnd;
  /** Members that have left, and when: what they said before may come late. */
  private readonly left = new Map<string, number>();

  constructor(
    /** Unlike that of any other coordinator. */
    private readonly id: string,
    private readonly total: number,
    private readonly broker: CoordinatorBroker,
    private readonly clock: Clock,
    private readonly hooks: CoordinatorHooks,
  ) {
    this.members = new Members(total, new Homes());
    this.missing = new MissingMembers(broker, clock);
    this.end = new QueueEnd(id, broker, clock);
    const failed = (error: unknown): void => this.failed(error);
    this.keeper = new PauseKeeper(broker, clock, { failed, changed: () => this.pausesChanged() });
    this.desk = new OperatorDesk(this.members, this.keeper, broker, clock, failed);
    this.deaths = new DeathWatch(broker, clock, {
      died: (id) => {
        this.members.died(id, clock.now());
        this.planIn(0);
      },
      lost: (id) => {
        this.members.doubt(id);
        this.planIn(0);
      },
    });
    this.ticker = clock.after(TICK, () => this.tick());
  }

  reported(report: Report, mail: Mail): void {
    if (this.stopped) return;
    this.end.look();
    if (mail.address === undefined || report.totalCount !== this.total) mail.settle();
    else if (mail.again && !report.left) void this.revive(report, mail, mail.address);
    else this.take(report, mail);
  }

  /** Settled when it was answered: until then the next coordinator gets it. */
  asked(mail: Mail): void {
    this.answer(mail, this.clock.now() + PATIENCE).catch((error: unknown) => this.failed(error));
  }

  requested(asked: Asked, mail: Mail): void {
    this.end.look();
    const deadline = this.clock.now() + PATIENCE;
    this.everybody(deadline, () => {
      // Whoever coordinates next gets it, where this one does not even get its own mark.
      if (this.end.isReached) this.desk.requested(asked, mail);
      else this.clock.after(COUNT_AGAIN, () => this.requested(asked, mail));
    }).catch((error: unknown) => this.failed(error));
  }

  kept(pauses: TypePauses, mail: Mail): void {
    this.end.look();
    this.keeper.kept(pauses, mail);
  }

  marked(id: string, mail: Mail): void {
    mail.settle();
    if (this.end.came(id)) this.planIn(0);
  }

  stop(): void {
    this.stopped = true;
    this.ticker?.cancel();
    this.next?.timer.cancel();
  }

  private answer(mail: Mail, deadline: number): Promise<void> {
    return this.everybody(deadline, () => this.broker.tell(mail, this.members.reports).finally(() => mail.settle()));
  }

  /** Waits until all have reported whom the broker counts, or for long enough. */
  private async everybody(deadline: number, then: () => void | Promise<void>): Promise<void> {
    const { broker, clock, members } = this;
    const counted = await broker.members();
    if (this.stopped) return;
    if (counted === undefined || members.connected >= counted || clock.now() >= deadline) {
      await then();
    } else {
      clock.after(COUNT_AGAIN, () => {
        this.everybody(deadline, then).catch((error: unknown) => this.failed(error));
      });
    }
  }

  private pausesChanged(): void {
    if (this.stopped) return;
    this.members.tellAll();
    this.planIn(0);
  }

  private take(report: Report, mail: Mail): void {
    if (report.left) this.noteLeft(report.id);
    else if (this.left.has(report.id)) {
      mail.settle();
      return;
    }
    this.members.take(report, mail, this.clock.now());
    if (report.pauses !== undefined) this.keeper.heard(report.pauses);
    this.planIn(COLLECT);
  }

  private noteLeft(id: string): void {
    const now = this.clock.now();
    for (const [other, at] of this.left) if (now - at >= LATE) this.left.delete(other);
    this.left.set(id, now);
  }

  /** The coordinator before had it, and who sent it may be gone since. */
  private async revive(report: Report, mail: Mail, address: string): Promise<void> {
    this.reviving++;
    const alive = await this.broker.isAlive(address).catch(() => true); // Then it is found out later.
    this.reviving--;
    if (this.stopped) return;
    if (alive) this.take(report, mail);
    else mail.settle();
    this.planIn(COLLECT);
  }

  private tick(): void {
    this.ticker = this.clock.after(TICK, () => this.tick());
    // Whoever waits to be the coordinator, or hears of nobody during an alarm, has nothing to find out.
    if (this.members.size === 0) return;
    this.end.look();
    this.deaths.look(this.members.connected, this.members.watched).catch((error: unknown) => this.failed(error));
    this.hooks.looked(this.unserved, this.unowned.foreign(this.clock.now()));
    void this.plan(IN_TURN);
  }

  /** @param delay milliseconds */
  private planIn(delay: number): void {
    const at = this.clock.now() + delay;
    if (this.next !== undefined && this.next.at <= at) return;
    this.next?.timer.cancel();
    const timer = this.clock.after(delay, () => {
      this.next = undefined;
      void this.plan(0);
    });
    this.next = { at, timer };
  }

  /** @param some how many shards are looked at besides those that have just lost their owner */
  private async plan(some: number): Promise<void> {
    this.again = true;
    if (this.planning) return;
    this.planning = true;
    while (this.again && !this.stopped) {
      this.again = false;
      await this.look(some);
      await this.give();
    }
    this.planning = false;
    const due = this.unowned.nextDue();
    if (due !== undefined && !this.stopped) this.planIn(Math.max(COLLECT, due - this.clock.now()));
  }

  private async look(some: number): Promise<void> {
    const { broker, clock, unowned, members } = this;
    this.findUnowned();
    const due = unowned.due(clock.now(), some, members.haveRoom(clock.now()));
    // All at once would take seconds, with ten thousand shards: those that are free are to be served meanwhile.
    if (due.length > LOOKS) this.again = true;
    const looks = due.slice(0, LOOKS).values();
    const work = async (): Promise<void> => {
      for (const shard of looks) unowned.looked(shard, await broker.consumers(shard), clock.now());
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }

  private findUnowned(): void {
    const now = this.clock.now();
    const held = this.members.held(now);
    this.unowned.update(this.total, (shard) => held.has(shard), now);
  }

  private async give(): Promise<void> {
    const { members, missing } = this;
    this.findUnowned(); // While they were looked at others may have lost their owners.
    const looked = this.clock.now(); // A slow broker takes longer to count members than a look counts.
    let plan = this.planNow(looked);
    if (plan.claims.size > 0 || plan.sheds.size > 0 || missing.expected > 0) {
      await missing.look(() => members.connected);
      this.findUnowned();
      plan = this.planNow(looked);
      if (missing.expected > 0) this.planIn(COUNT_AGAIN);
    }
    if (this.stopped || this.reviving > 0 || !this.end.isReached) return;
    this.keeper.look();
    this.desk.look();
    this.unserved = plan.unserved;
    const sheds = missing.mayOwn ? new Map<string, Shedding>() : plan.sheds;
    const id = (): string => `${this.id} ${++this.orders}`;
    const orders = members.orders(plan.claims, sheds, id, this.clock.now(), this.keeper.pauses);
    for (const [address, order] of orders) this.send(address, order);
  }

  /** @param looked when it was last looked who owns what */
  private planNow(looked: number): Plan {
    const { members, unowned, missing, clock } = this;
    const now = clock.now();
    return planMoves(members.situation(unowned.free(looked), unowned.unsettled(now), missing.expected, now));
  }

  private send(address: string, order: Order): void {
    this.broker.order(address, order).catch((error: unknown) => this.failed(error));
  }

  private failed(error: unknown): void {
    if (!this.stopped) this.hooks.failed(error);
  }
}
