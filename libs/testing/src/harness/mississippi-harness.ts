import { DEFAULT_INSTANCE, MISSISSIPPI_CLOCK } from '@mississippi/core';
import { MISSISSIPPI_TEST_BENCH, type TestBench } from '@mississippi/core/testing';
import type { InjectionToken } from '@nestjs/common';
import type { TestingModule, TestingModuleBuilder } from '@nestjs/testing';
import { FakeClock, StandstillError } from '../clock/fake-clock.js';
import { Activity } from './activity.js';
import type { HarnessOptions } from './harness-options.interface.js';
import { InstanceHarness } from './instance-harness.js';
import { InstanceWorld, type SharedWorld } from './instance-world.js';
import type { JournalEntry } from './journal-entry.interface.js';
import { settle, type SettleOptions } from './settle.js';

/** How long {@link MississippiHarness.close} lets callbacks end by themselves. Real milliseconds. */
const ENDING = 1_000;

/**
 * An app's instances in a test, on an embedded broker, a store in memory where they have one, and a clock that stands still.
 *
 * ```ts
 * const harness = await MississippiHarness.create(Test.createTestingModule({ imports: [AppModule] }));
 * await harness.send('order-1', { cents: 250 });
 * await harness.settled();
 * expect(harness.outcomes('order-1')).toEqual(['handled']);
 * await harness.close();
 * ```
 *
 * What concerns one instance is meant of the default one, or of the only one there is; {@link instance} gives the others.
 * @publicApi
 */
export class MississippiHarness extends InstanceHarness {
  readonly clock: FakeClock;
  private readonly worlds: Map<string, InstanceWorld>;
  private readonly shared: SharedWorld;
  private started: TestingModule | undefined;
  /** What the app hangs in, while it closes, is being ended. */
  private ending: Promise<void> | undefined;

  /** For apps that are made and started by the test itself: see {@link install}. */
  constructor(options: HarnessOptions = {}) {
    const worlds = new Map<string, InstanceWorld>();
    super(() => only(worlds));
    this.worlds = worlds;
    this.clock = options.clock ?? new FakeClock();
    const closes = (): void => void this.endCallbacks();
    this.shared = { options, clock: this.clock, activity: new Activity(), journal: [], sent: 0, closes };
  }

  /**
   * Puts the app's instances into the harness, compiles the module and initialises it.
   * @param builder may have overrides of your own
   * @throws what the app's start throws
   */
  static async create(builder: TestingModuleBuilder, options: HarnessOptions = {}): Promise<MississippiHarness> {
    const harness = new MississippiHarness(options);
    const module = await harness.install(builder).compile();
    harness.started = await module.init();
    return harness;
  }

  /**
   * Puts the app's instances into the harness and returns the builder: for tests that go on with `compile()` and
   * `createNestApplication()`. Call `app.init()` before the harness is used, and {@link close} with the app.
   */
  install(builder: TestingModuleBuilder): TestingModuleBuilder {
    const bench: TestBench = {
      equip: (instance, given) => {
        const world = this.worlds.get(instance.name) ?? new InstanceWorld(instance.name, this.shared);
        this.worlds.set(instance.name, world);
        return world.equip(instance, given);
      },
    };
    return builder
      .overrideProvider(MISSISSIPPI_CLOCK)
      .useValue(this.clock)
      .overrideProvider(MISSISSIPPI_TEST_BENCH)
      .useValue(bench);
  }

  /**
   * The app, where {@link create} made it.
   * @throws where the test made it
   */
  get module(): TestingModule {
    if (this.started === undefined) throw new Error('The harness has no module: the test made the app itself.');
    return this.started;
  }

  /** A provider of the app, from whichever module. */
  get<T>(token: InjectionToken<T>): T {
    return this.module.get<T>(token, { strict: false });
  }

  /** What happened to all instances, in order. Shards that come are left out, and those that go with a broker that is away. */
  override get journal(): readonly JournalEntry[] {
    return this.shared.journal;
  }

  /**
   * One instance of an app with several.
   * @throws {RangeError} when the app has none of that name
   */
  instance(name: string): InstanceHarness {
    return new InstanceHarness(() => {
      const world = this.worlds.get(name);
      if (world === undefined)
        throw new RangeError(`There is no instance ${name}: the app has ${namesOf(this.worlds)}.`);
      return world;
    });
  }

  /**
   * Resolves when nothing is left to do, in any instance: no message that waits or runs, no signal, no backoff, nothing to commit, to
   * publish or to move. Parked keys wait for somebody, so they may be left.
   * @throws {NotSettledError} naming keys and callbacks: at once, when what is left waits for fake time, for a broker that is away or
   * for a hang of the test's; after `within`, when a callback does not end
   */
  async settled(options: SettleOptions = {}): Promise<void> {
    await settle([...this.worlds.values()], this.shared, options);
  }

  /**
   * Lets fake time pass: backoffs, time-outs, idle keys, TTLs. What each timer sets off has come to rest before the next one
   * fires, as far as it needs the event loop alone: what your code awaits elsewhere is awaited by {@link settled}.
   * @param milliseconds how long
   * @throws {RangeError} when it is negative or not finite
   * @throws when something is repeated without a delay and without end, such as a retry whose backoff is 0
   */
  async advance(milliseconds: number): Promise<void> {
    const { activity } = this.shared;
    const active = (): boolean => [...this.worlds.values()].some(({ life }) => life.count('store') > 0);
    await this.clock.advance(milliseconds, () => activity.rest(active, ENDING));
  }

  /**
   * The app's process is gone, as by `kill -9`: states and whatever else its instances hold in memory are lost, nothing that runs
   * settles, commits or publishes any more, and what was not settled waits in the broker. Services reject until {@link restart}.
   * Your own providers live on: a field of theirs survives, as nothing would.
   */
  async crash(): Promise<void> {
    const worlds = [...this.worlds.values()];
    for (const world of worlds) {
      world.instance.crash();
      world.tell({ type: 'crashed' });
    }
    await Promise.all(worlds.map(({ life }) => life.end()));
  }

  /** Another process begins, after {@link crash}. What was not settled comes again, `redelivered`. */
  async restart(): Promise<void> {
    for (const world of this.worlds.values()) {
      await world.instance.restart();
      world.tell({ type: 'restarted' });
    }
  }

  /** A crash, and the restart. */
  async crashAndRestart(): Promise<void> {
    await this.crash();
    await this.restart();
  }

  /**
   * The broker cannot be reached until {@link brokerBack}: all shards are lost, and what is published waits for it up to
   * `publishTimeout` of fake time.
   * @param publishes `'reject'` lets publishes fail at once, with `PublishError`
   */
  brokerAway(publishes: 'wait' | 'reject' = 'wait'): void {
    for (const world of this.worlds.values()) world.leaveBroker(publishes);
  }

  /** The broker can be reached again: what waited is published, and what was not settled comes again. */
  brokerBack(): void {
    for (const world of this.worlds.values()) world.returnToBroker();
  }

  /** Ends what hangs, and closes the app. An app that the test made is the test's to close, which ends what hangs too. */
  async close(): Promise<void> {
    this.endFaults();
    const closing = this.started?.close();
    await this.endCallbacks();
    await closing;
  }

  private endFaults(): void {
    this.brokerBack();
    for (const { faults } of this.worlds.values()) faults.clear();
  }

  /** A callback that does not end is abandoned after drainTimeout, which is fake time. */
  private endCallbacks(): Promise<void> {
    return (this.ending ??= this.passTime().finally(() => (this.ending = undefined)));
  }

  private async passTime(): Promise<void> {
    const busy = (): boolean => [...this.worlds.values()].some((world) => world.active());
    for (let within = ENDING; ; within = 0) {
      await this.shared.activity.rest(busy, within);
      const { next } = this.clock;
      if (next === undefined || !busy()) return;
      this.endFaults();
      try {
        await this.clock.advance(next - this.clock.now());
      } catch (error) {
        if (error instanceof StandstillError) return; // Timers of the test's own.
        throw error;
      }
    }
  }
}

function only(worlds: ReadonlyMap<string, InstanceWorld>): InstanceWorld {
  const world = worlds.get(DEFAULT_INSTANCE) ?? (worlds.size === 1 ? [...worlds.values()][0] : undefined);
  if (world !== undefined) return world;
  if (worlds.size === 0) throw new Error('No instance has started: await MississippiHarness.create(…), or app.init().');
  throw new RangeError(`Say which instance is meant, by harness.instance(name): the app has ${namesOf(worlds)}.`);
}

function namesOf(worlds: ReadonlyMap<string, unknown>): string {
  return worlds.size === 0 ? 'none yet' : [...worlds.keys()].join(', ');
}
