import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { clock } from './clock.js';
import { OwnershipRecord } from './ownership-record.js';
import type { Strike, Told, WorkerPlan } from './protocol.js';
import { isLevel, sumOf } from './shares.js';
import { WorkerProcess } from './worker-process.js';

/** How many processes load at once. */
const LOADING = 4;

/** How long shares may take to become level, and a probe to be handled. Milliseconds. */
export const PATIENCE = 120_000;

/** For how long nothing may move until shares are taken to be at rest: longer than two looks of the library. */
const QUIET = 1_500;

/** The processes that own the shards of a prefix, and what is known of who owns what. */
export class Fleet {
  readonly record = new OwnershipRecord();
  /** Those that were started and not ended, in that order. */
  readonly running: WorkerProcess[] = [];
  private readonly all = new Set<WorkerProcess>();
  private readonly handled = new Map<number, { readonly owner: string; readonly at: number }[]>();
  private readonly changes = new EventEmitter().setMaxListeners(0); // One for each probe.
  private names = 0;
  private asked = 0;
  private readonly killAll = (): void => {
    for (const worker of this.all) worker.signal('SIGKILL');
  };

  constructor(
    readonly plan: WorkerPlan,
    /** Nice value of the processes once they are loaded. */
    private readonly nice: number | undefined,
  ) {
    process.once('exit', this.killAll);
  }

  get shares(): number[] {
    return this.running.map(({ name }) => this.record.shardsOf(name).size);
  }

  /** Loads processes that own nothing yet. */
  async load(count: number): Promise<WorkerProcess[]> {
    const loaded: WorkerProcess[] = [];
    const load = async (): Promise<void> => {
      while (count-- > 0) {
        const name = `w${++this.names}`;
        const worker = await WorkerProcess.load(name, this.plan, this.nice, (told) => this.hear(name, told));
        this.all.add(worker);
        loaded.push(worker);
      }
    };
    await Promise.all(Array.from({ length: LOADING }, load));
    return loaded;
  }

  /** Starts what is loaded, all at once. Resolves when the apps have started. */
  async start(workers: readonly WorkerProcess[]): Promise<void> {
    this.running.push(...workers);
    await Promise.all(workers.map((worker) => worker.start()));
  }

  async grow(size: number): Promise<void> {
    await this.start(await this.load(size - this.running.length));
  }

  /** A process was killed, or leaves in good order: it is not counted any more. */
  dismiss(worker: WorkerProcess): void {
    this.running.splice(this.running.indexOf(worker), 1);
  }

  /** To be called when a process that was dismissed has gone. */
  bury(worker: WorkerProcess): void {
    this.all.delete(worker);
    this.record.gone(worker.name, clock());
  }

  async leave(worker: WorkerProcess): Promise<void> {
    this.dismiss(worker);
    await worker.leave();
    this.bury(worker);
  }

  async leaveAll(): Promise<void> {
    await Promise.all([...this.running].map((worker) => this.leave(worker)));
  }

  /** Waits until every shard has an owner. Returns when the last one was taken. */
  async served(): Promise<number> {
    const served = (): boolean => this.record.served(this.running.map(({ name }) => name)) === this.plan.shards;
    if (!(await this.holds(served))) throw new Error(`waited ${PATIENCE} ms in vain until every shard has an owner`);
    return this.lastTaken();
  }

  /** Waits until shares are level. Returns when the last shard was taken; `undefined` when they do not become level. */
  async level(): Promise<number | undefined> {
    return (await this.holds(() => isLevel(this.shares, this.plan.shards))) ? this.lastTaken() : undefined;
  }

  /** Waits until every shard has one owner and nothing has moved for a while; not for ever, since some may never rest. */
  async rest(): Promise<void> {
    await this.served();
    const end = clock() + PATIENCE;
    let last: number;
    do {
      last = this.lastTaken();
      await sleep(QUIET);
    } while ((this.lastTaken() !== last || sumOf(this.shares) !== this.plan.shards) && clock() < end);
  }

  /** Numbers probes of some shards. */
  probes(shards: readonly number[]): Strike['probes'] {
    return shards.map((shard) => ({ probe: ++this.asked, shard }));
  }

  /** Waits until somebody, or somebody else, has handled a probe. Returns when that was. */
  async answered(probe: number, except?: string): Promise<number> {
    const others = () => this.handled.get(probe)?.filter(({ owner }) => owner !== except) ?? [];
    if (!(await this.holds(() => others().length > 0)))
      throw new Error(`waited ${PATIENCE} ms in vain until a probe was handled`);
    return Math.min(...others().map(({ at }) => at));
  }

  /** Ends whatever runs still, at once. */
  close(): void {
    this.killAll();
    process.off('exit', this.killAll);
  }

  private lastTaken(): number {
    return this.record.takingsSince(0).reduce((last, { at }) => Math.max(last, at), 0);
  }

  private hear(owner: string, told: Told): void {
    if (told.type === 'took' || told.type === 'gave') this.record[told.type](owner, told.shard, told.at);
    else if (told.type === 'handled') {
      const { probe, at } = told;
      this.handled.set(probe, [...(this.handled.get(probe) ?? []), { owner, at }]);
    }
    this.changes.emit('change');
  }

  /** Resolves when a condition holds, or with `false` when it does not come to hold. */
  private holds(condition: () => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (held: boolean): void => {
        clearTimeout(timer);
        this.changes.off('change', look);
        resolve(held);
      };
      const look = (): void => {
        if (condition()) done(true);
      };
      const timer = setTimeout(() => done(false), PATIENCE);
      this.changes.on('change', look);
      look();
    });
  }
}
