import { Auditor } from './auditor.js';
import { Broker } from './broker/broker.js';
import type { Network } from './broker/connection.js';
import { nameOf } from './broker/consumer.js';
import type { Deviations } from './deviations.js';
import { unlevel, type Holder } from './level.js';
import type { Traits } from './process/place.js';
import { SimulatedProcess, type Noticed, type World } from './process/simulated-process.js';
import { Dice, type Range } from './time/dice.js';
import { SimulatedClock } from './time/simulated-clock.js';

export interface SimulationOptions {
  readonly shards: number;
  readonly seed: number;
  /** How long a message takes in one direction. Milliseconds. Default 0.2 to 3. */
  readonly latency?: Range;
  readonly quorum?: boolean;
  readonly deviations?: Deviations;
}

/** An ordinary process. */
export const ORDINARY: Traits = {
  weight: 1,
  maxShards: Infinity,
  opening: [1, 20],
  handOver: [1, 50],
  unable: () => false,
  interval: 500,
};

/** How soon the broker learns of the end of a process: 5 to 50 ms after a SIGKILL (RabbitMQ 3.10, preliminary). */
export const NOTICED: Noticed = { consuming: [10, 50], publishing: [10, 50] };
/** Three heartbeats of 10 s at most until it drops a silent connection, 2.7 as measured. */
export const DROPPED: Noticed = { consuming: [26_000, 28_000], publishing: [26_000, 28_000] };

/** How often it is looked whether something has come about. Milliseconds. */
const STEP = 25;

/** It has not come to rest in time. */
export class UnrestError extends Error {
  override readonly name = 'UnrestError';
}

/** Many processes, one broker, and the time in which they run: the same seed gives the same run. */
export class Simulation {
  readonly clock = new SimulatedClock();
  readonly dice: Dice;
  readonly broker: Broker;
  readonly auditor: Auditor;
  readonly processes: SimulatedProcess[] = [];
  private readonly world: World;
  private born = 0;

  constructor(private readonly options: SimulationOptions) {
    const { shards, seed, latency = [0.2, 3], quorum = false, deviations = {} } = options;
    this.dice = new Dice(seed);
    const network: Network = { clock: this.clock, dice: this.dice, latency };
    this.auditor = new Auditor(this.clock);
    const settings = { shards, quorum, isLenient: deviations.isLenient ?? false };
    this.broker = new Broker(network, settings, this.auditor);
    this.world = { network, broker: this.broker, auditor: this.auditor, shards, deviations };
  }

  /** Those that take part. */
  get serving(): SimulatedProcess[] {
    return this.processes.filter(({ isServing }) => isServing);
  }

  get coordinator(): SimulatedProcess | undefined {
    return this.processes.find(({ isCoordinating }) => isCoordinating);
  }

  start(traits: Partial<Traits> = {}): SimulatedProcess {
    const process = new SimulatedProcess(`p${++this.born}`, this.world, { ...ORDINARY, ...traits });
    this.processes.push(process);
    process.start().catch((error: unknown) => void (process.failure = error));
    return process;
  }

  /** @param within over how long they start. Milliseconds */
  startMany(count: number, within = 0, traits: Partial<Traits> = {}): void {
    for (let index = 0; index < count; index++)
      this.clock.after(this.dice.between([0, within]), () => void this.start(traits));
  }

  /** A stranger consumes shards, as an Elixir process does. Returns what ends him. */
  stranger(shards: readonly number[]): () => void {
    for (const shard of shards) this.broker.consume(shard, 'stranger');
    return () => {
      for (const shard of shards) {
        this.auditor.handled(shard, 'stranger');
        this.broker.release(shard, 'stranger');
      }
    };
  }

  alarm(isOn: boolean): void {
    this.broker.setAlarm(isOn);
    for (const process of this.serving) process.block(isOn);
  }

  advance(milliseconds: number): Promise<void> {
    return this.clock.advance(milliseconds);
  }

  /** Shards that nobody consumes. */
  get unserved(): number[] {
    return this.broker.consumers.flatMap((consumer, shard) => (consumer === undefined ? [shard] : []));
  }

  /** What keeps it from being at rest; empty where everything is served and all have their share. */
  get unrest(): string[] {
    const { unserved } = this;
    if (unserved.length > 0) return [`nobody consumes ${unserved.length} shards, such as ${unserved[0]}`];
    const strangers = this.broker.consumers.filter((consumer) => typeof consumer === 'string').length;
    return unlevel(this.options.shards - strangers, this.holders);
  }

  /**
   * Lets time pass until everything is served and all have their share. Returns how long that took.
   * @throws {UnrestError} when it does not come to that in time
   */
  async untilRest(within: number): Promise<number> {
    return this.until(() => this.unrest, within);
  }

  /** @param missing what has not come about yet */
  async until(missing: () => readonly string[], within: number): Promise<number> {
    const since = this.clock.exact;
    for (;;) {
      const left = missing();
      const passed = this.clock.exact - since;
      if (left.length === 0) return passed;
      if (passed >= within) throw new UnrestError(`After ${within} ms: ${left.slice(0, 5).join('; ')}`);
      await this.advance(STEP);
    }
  }

  private get holders(): Holder[] {
    const owned = new Map<string, number>();
    for (const consumer of this.broker.consumers) {
      if (consumer === undefined) continue;
      const name = nameOf(consumer);
      owned.set(name, (owned.get(name) ?? 0) + 1);
    }
    return this.serving.map(({ id, traits: { weight, maxShards } }) => ({
      name: id,
      weight,
      maxShards,
      owned: owned.get(id) ?? 0,
    }));
  }
}
