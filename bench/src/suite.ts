import type { Comparison, Result } from './harness/comparison.js';
import { compare } from './harness/compare.js';
import { machine, versions, type Versions } from './harness/machine.js';
import { merge, readLatest, writeLatest } from './harness/results.js';
import { processComparisons } from './process/comparisons.js';
import { BenchBroker } from './rabbitmq/bench-broker.js';
import { rabbitComparisons } from './rabbitmq/comparisons.js';
import { storeComparisons } from './store/comparisons.js';
import { StoreStage } from './store/stage.js';

/** Every comparison there is. */
export class Suite {
  readonly inProcess: readonly Comparison[];
  readonly onRabbit: readonly Comparison<BenchBroker>[];
  readonly onStore: readonly Comparison<StoreStage>[];
  readonly all: readonly Comparison<never>[];

  constructor(scale: number) {
    this.inProcess = processComparisons(scale);
    this.onRabbit = rabbitComparisons(scale);
    this.onStore = storeComparisons(scale);
    this.all = [...this.inProcess, ...this.onRabbit, ...this.onStore];
  }

  /** Runs what is chosen and keeps every result as it comes. */
  async run(
    chosen: ReadonlySet<string>,
    runs: number,
    tell: (text: string) => void,
    report: (comparison: Comparison<never>, result: Result) => Promise<void>,
  ): Promise<void> {
    const each = async <Context>(
      comparisons: readonly Comparison<Context>[],
      context: Context,
      found: () => Versions,
    ): Promise<void> => {
      for (const comparison of comparisons) {
        const result = await compare(comparison, context, runs, tell);
        await writeLatest(merge(readLatest(), machine(), found(), result));
        await report(comparison, result);
      }
    };
    await each(wanted(this.inProcess, chosen), undefined, versions);
    const onRabbit = wanted(this.onRabbit, chosen);
    const onStore = wanted(this.onStore, chosen);
    if (onRabbit.length + onStore.length === 0) return;
    const broker = await BenchBroker.start();
    const found = (): Versions => ({ ...versions(), rabbitmq: broker.version });
    // What ends the node keeps no event loop alive.
    const alive = setInterval(() => undefined, 1_000);
    try {
      await each(onRabbit, broker, found);
      if (onStore.length === 0) return;
      const stage = await StoreStage.start(broker);
      try {
        // What a comparison starts for itself is known after it.
        await each(onStore, stage, () => ({ ...found(), ...stage.versions }));
      } finally {
        await stage.stop();
      }
    } finally {
      await broker.stop();
      clearInterval(alive);
    }
  }
}

function wanted<Context>(
  comparisons: readonly Comparison<Context>[],
  chosen: ReadonlySet<string>,
): Comparison<Context>[] {
  return comparisons.filter(({ name }) => chosen.has(name));
}
