import type { Watched } from './death-watch.js';
import { NOTHING_PAUSED, type TypePauses } from './pauses.js';
import type { Mail } from './ports.js';
import type { Homes } from './homes.js';
import type { PlanMember, Shedding, Situation } from './situation.js';
import type { Order, Report } from './reports.js';

/** How long a process that says nothing may take to carry out an order. Milliseconds. */
const ORDER_PATIENCE = 3_000;

const NONE: ReadonlySet<number> = new Set();
const NO_SHEDDING: Shedding = { count: 0, wanted: [] };

interface Entry {
  report: Report;
  mail: Mail;
  /** Whether the report is to be answered. */
  unanswered: boolean;
  /** What it is told to do and has not done yet. */
  order: Order | undefined;
  /** Whether it does not consume what it says: until it says something new, it has nothing and gets nothing. */
  isDoubtful: boolean;
  /** When something was last heard of it, or told to it. */
  heardAt: number;
  readonly reportedAt: number;
}

/** Shards, as they are asked for one by one: they are too many to be listed for each plan. */
export interface Held {
  readonly size: number;
  has(shard: number): boolean;
}

/** The members as they report themselves, and what each was told to do. */
export class Members {
  private readonly entries = new Map<string, Entry>();
  /** Who owns each shard. */
  private readonly owners: (string | undefined)[];
  private owned = 0;
  /** Those whose queue was seen to have one consumer at most. */
  private readonly verified = new Set<number>();

  constructor(
    total: number,
    private readonly homes: Homes,
  ) {
    this.owners = Array.from({ length: total });
  }

  get size(): number {
    return this.entries.size;
  }

  get reports(): Report[] {
    return [...this.entries.values()].map(({ report }) => report);
  }

  /** How many are there whose consumers the broker can count. */
  get connected(): number {
    let count = 0;
    for (const entry of this.entries.values()) if (isThere(entry)) count++;
    return count;
  }

  get watched(): Watched[] {
    return [...this.entries].map(([id, { report, mail, isDoubtful, reportedAt }]) => ({
      id,
      reportedAt,
      address: mail.address!,
      shard: isDoubtful ? undefined : report.owned.find((shard) => this.owners[shard] === id),
    }));
  }

  /** Who is called so, and where an answer reaches him. */
  named(name: string): { readonly id: string; readonly address: string; readonly guarded: boolean } | undefined {
    for (const { report, mail } of this.entries.values()) {
      if (report.name === name) return { id: report.id, address: mail.address!, guarded: report.guarded === true };
    }
    return undefined;
  }

  /** Whether all who can own shards know a version of the types that are paused. */
  know(version: number): boolean {
    for (const entry of this.entries.values())
      if (isThere(entry) && (entry.report.pauses?.version ?? 0) < version) return false;
    return true;
  }

  /** Each is to get an order, though there is nothing to do. */
  tellAll(): void {
    for (const entry of this.entries.values()) entry.unanswered = true;
  }

  /** Takes the newest report of a member in the place of the one before. */
  take(report: Report, mail: Mail, now: number): void {
    const { id } = report;
    const before = this.entries.get(id);
    if (report.left) {
      mail.settle();
      this.remove(id, report.had, now);
      return;
    }
    if (before !== undefined && before.report.seq > report.seq) {
      mail.settle(); // It came late, from the broker's hands.
      return;
    }
    before?.mail.settle();
    if (before === undefined) this.findHome(report, now);
    const order = before?.order !== undefined && before.order.id !== report.done ? before.order : undefined;
    this.disown(before?.report);
    this.entries.set(id, { report, mail, unanswered: true, order, isDoubtful: false, heardAt: now, reportedAt: now });
    this.own(report);
  }

  private findHome({ id, connected, owned, home, homeAge = 0 }: Report, now: number): void {
    if (home !== undefined) this.homes.told(id, home, now - homeAge);
    else if (connected && owned.length === 0) this.homes.joined(id, now);
  }

  /** It has died. */
  died(id: string, now: number): void {
    const { had, owned } = this.entries.get(id)?.report ?? { had: [], owned: [] };
    this.remove(id, had.length > 0 ? had : owned, now);
  }

  private remove(id: string, had: readonly number[], now: number): void {
    this.homes.left(id, had, now);
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    entry.mail.settle();
    this.entries.delete(id);
    this.disown(entry.report);
  }

  /** What it says is not so. */
  doubt(id: string): void {
    const entry = this.entries.get(id);
    if (entry === undefined || entry.isDoubtful) return;
    entry.isDoubtful = true;
    entry.order = undefined;
    this.disown(entry.report);
  }

  /** Shards that belong to a member or are being claimed by one. */
  held(now: number): Held {
    const { owners } = this;
    const claimed = new Set<number>();
    for (const entry of this.entries.values())
      for (const shard of orderOf(entry, now)?.claim ?? []) if (owners[shard] === undefined) claimed.add(shard);
    return {
      size: this.owned + claimed.size,
      has: (shard) => owners[shard] !== undefined || claimed.has(shard),
    };
  }

  /** Whether one of them could own more shards now. */
  haveRoom(now: number): boolean {
    for (const entry of this.entries.values()) {
      const { owned, leaving, most } = entry.report;
      const coming = orderOf(entry, now)?.claim.length ?? 0;
      if (isThere(entry) && owned.length - leaving.length + coming < most) return true;
    }
    return false;
  }

  /** @param unsettled how many shards have no known owner, and will show to be free or not */
  situation(free: readonly number[], unsettled: number, expected: number, now: number): Situation {
    let coming = unsettled;
    const members: PlanMember[] = [];
    for (const entry of this.entries.values()) {
      const { report } = entry;
      if (entry.isDoubtful) continue;
      const order = orderOf(entry, now);
      const leaving = report.leaving.length + (order?.shed ?? 0);
      coming += leaving;
      if (report.connected) members.push(this.planned(report, order, leaving, now));
    }
    return { members, free, held: this.held(now).size + unsettled, coming, expected };
  }

  private planned(report: Report, order: Order | undefined, leaving: number, now: number): PlanMember {
    const { id, weight, most, owned, unable } = report;
    const resting = unable.length === 0 ? NONE : new Set(unable);
    let load = owned.length - leaving;
    for (const shard of order?.claim ?? []) if (this.owners[shard] !== id) load++;
    const able = (shard: number): boolean => !resting.has(shard);
    const home = this.homes.of(id, now);
    const staying = without(owned, report.leaving);
    return { id, weight, most, load, home, staying, ready: order === undefined, able };
  }

  /** What is to be sent to each: to whom there is something to do, and to whoever waits for an answer. */
  orders(
    claims: ReadonlyMap<string, readonly number[]>,
    sheds: ReadonlyMap<string, Shedding>,
    id: () => string,
    now: number,
    pauses: TypePauses = NOTHING_PAUSED,
  ): [address: string, order: Order][] {
    const orders: [string, Order][] = [];
    for (const entry of this.entries.values()) {
      const { report, mail } = entry;
      const claim = claims.get(report.id) ?? [];
      const { count: shed, wanted } = sheds.get(report.id) ?? NO_SHEDDING;
      const isWork = claim.length > 0 || shed > 0;
      if (!isWork && !entry.unanswered) continue;
      const verified = claim.filter((shard) => this.verified.has(shard));
      const home = [...this.homes.of(report.id, now)];
      const known = {
        seq: report.seq,
        members: this.entries.size,
        ...(home.length > 0 ? { home } : {}),
        ...(pauses.version > 0 ? { pauses } : {}),
      };
      const order: Order = { id: id(), ...known, claim, verified, shed, wanted };
      entry.unanswered = false;
      if (isWork) {
        entry.order = order;
        entry.heardAt = now;
      }
      orders.push([mail.address!, order]);
    }
    return orders;
  }

  private own({ id, owned, verified }: Report): void {
    const seen = new Set(verified);
    for (const shard of owned) {
      if (this.owners[shard] === undefined) this.owned++;
      this.owners[shard] = id;
      if (seen.has(shard)) this.verified.add(shard);
      else this.verified.delete(shard);
    }
  }

  private disown(report: Report | undefined): void {
    for (const shard of report?.owned ?? []) {
      if (this.owners[shard] !== report!.id) continue;
      this.owners[shard] = undefined;
      this.owned--;
    }
  }
}

/** Whether it can own shards. */
function isThere({ report, isDoubtful }: Entry): boolean {
  return report.connected && !isDoubtful;
}

/** What a member still has to do; one that says nothing for long has not got it. */
function orderOf({ order, heardAt }: Entry, now: number): Order | undefined {
  return now - heardAt < ORDER_PATIENCE ? order : undefined;
}

function without(shards: readonly number[], others: readonly number[]): readonly number[] {
  if (others.length === 0) return shards;
  const left = new Set(others);
  return shards.filter((shard) => !left.has(shard));
}
