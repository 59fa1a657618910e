import type { SimulatedClock } from './time/simulated-clock.js';
import { nameOf, type Consumer } from './broker/consumer.js';

/** A shard that came to another process than the one that had it before. */
export interface Move {
  readonly shard: number;
  readonly at: number;
}

/** Watches over all shards, from the broker's side, and keeps what is wrong and what is to be counted. */
export class Auditor {
  readonly violations: string[] = [];
  /** Claims that were granted, and those that were refused. */
  granted = 0;
  refusals = 0;
  readonly moves: Move[] = [];
  private readonly owners = new Map<number, Consumer>();
  /** Who had it last. */
  private readonly formerly = new Map<number, string>();
  /** Who handles its messages. */
  private readonly handlers = new Map<number, Consumer>();
  private readonly freeSince = new Map<number, number>();
  /** How long shards had no owner, from the loss to the next grant. */
  gaps: { readonly shard: number; readonly from: number; readonly milliseconds: number }[] = [];

  constructor(private readonly clock: SimulatedClock) {}

  /** Starts counting anew. */
  reset(): void {
    this.granted = 0;
    this.refusals = 0;
    this.moves.length = 0;
    this.gaps = [];
  }

  /** How many shards have moved more often than so many times. */
  movedMoreThan(times: number): number {
    const moves = new Map<number, number>();
    for (const { shard } of this.moves) moves.set(shard, (moves.get(shard) ?? 0) + 1);
    return [...moves.values()].filter((count) => count > times).length;
  }

  refused(): void {
    this.refusals++;
  }

  consumes(shard: number, consumer: Consumer): void {
    const name = nameOf(consumer);
    const owner = this.owners.get(shard);
    if (owner !== undefined) this.wrong(`shard ${shard} is consumed by ${nameOf(owner)} and by ${name}`);
    const handler = this.handlers.get(shard);
    if (handler !== undefined && handler !== consumer)
      this.wrong(`shard ${shard} came to ${name} while ${nameOf(handler)} still handled its messages`);
    this.owners.set(shard, consumer);
    this.handlers.set(shard, consumer);
    this.granted++;
    const before = this.formerly.get(shard);
    if (before !== undefined && before !== name) this.moves.push({ shard, at: this.clock.now() });
    this.formerly.set(shard, name);
    const from = this.freeSince.get(shard);
    if (from !== undefined) this.gaps.push({ shard, from, milliseconds: this.clock.exact - from });
    this.freeSince.delete(shard);
  }

  consumesNoMore(shard: number, consumer: Consumer): void {
    if (this.owners.get(shard) !== consumer) return;
    this.owners.delete(shard);
    this.freeSince.set(shard, this.clock.exact);
    // What a process handles whose connection has ended settles nothing any more.
    if (typeof consumer !== 'string' && !consumer.isAlive) this.handled(shard, consumer);
  }

  /** The last handler of a shard has ended in a process. */
  handled(shard: number, consumer: Consumer): void {
    if (this.handlers.get(shard) === consumer) this.handlers.delete(shard);
  }

  private wrong(what: string): void {
    this.violations.push(`${this.clock.now()} ms: ${what}`);
  }
}
