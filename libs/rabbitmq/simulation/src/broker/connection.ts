import type { Dice, Range } from '../time/dice.js';
import type { ProcessClock } from '../time/process-clock.js';
import type { SimulatedClock } from '../time/simulated-clock.js';

/** What a connection runs through. */
export interface Network {
  readonly clock: SimulatedClock;
  readonly dice: Dice;
  /** How long a message takes in one direction. Milliseconds. */
  readonly latency: Range;
}

export interface ConnectionHooks {
  /** The broker knows that it has ended. */
  readonly ended: () => void;
  /** The process knows that it is lost. */
  readonly lost: () => void;
}

/** A connection of a process to the broker. Each of the two learns of its end at a time of its own. */
export class Connection {
  /** As the process knows it. */
  isOpen = true;
  /** As the broker knows it. */
  isAlive = true;
  private readonly expected = new Set<(error: unknown) => void>();
  /** When the last of what was written arrives. */
  private lastUp = 0;
  /** What the broker does not read, during an alarm. */
  private unread: (() => void)[] | undefined;

  constructor(
    readonly id: string,
    private readonly network: Network,
    private readonly process: ProcessClock,
    private readonly hooks: ConnectionHooks,
  ) {}

  /** When a message arrives that is written now, after another. */
  arrivesAt(after: number, ways: number): number {
    const { clock, dice, latency } = this.network;
    let at = clock.exact;
    for (let way = 0; way < ways; way++) at += dice.between(latency);
    return Math.max(after, at);
  }

  up(at: number, arrived: () => void): void {
    this.lastUp = Math.max(this.lastUp, at);
    this.network.clock.at(at, () => {
      if (!this.isAlive) return;
      if (this.unread === undefined) arrived();
      else this.unread.push(arrived);
    });
  }

  down(at: number, arrived: () => void): void {
    this.network.clock.at(at, () => this.process.run(() => this.isOpen && arrived()));
  }

  /** @param reject called when no answer comes. Returns what is to be called when one has come. */
  expect(reject: (error: unknown) => void): () => void {
    if (!this.isOpen) {
      reject(new Error('there is no connection'));
      return () => undefined;
    }
    this.expected.add(reject);
    return () => void this.expected.delete(reject);
  }

  /** The broker reads nothing of it. */
  block(): void {
    this.unread ??= [];
  }

  unblock(): void {
    const { unread } = this;
    this.unread = undefined;
    for (const arrived of unread ?? []) if (this.isAlive) arrived();
  }

  /**
   * The broker learns that it has ended: not before it has read what was written.
   * @param after milliseconds
   */
  endAfter(after: number): void {
    const { clock } = this.network;
    clock.at(Math.max(clock.exact + after, this.lastUp), () => this.end());
  }

  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.hooks.ended();
  }

  /** The process learns that it is lost. @param after milliseconds */
  loseAfter(after: number): void {
    const { clock } = this.network;
    clock.after(after, () => this.process.run(() => this.lose()));
  }

  /** The process closes it. */
  close(): void {
    this.isOpen = false;
    this.endAfter(0);
  }

  private lose(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const expected = [...this.expected];
    this.expected.clear();
    for (const reject of expected) reject(new Error('the connection was lost'));
    this.hooks.lost();
  }
}
