import { checkCapabilities, isProvable } from '../conformance/capabilities.js';
import type { StoreCapability, StoreHarness } from './store-harness.js';
import { StoreStage } from './store-stage.js';

/**
 * One promise that a store must keep.
 * @publicApi
 */
export interface StoreConformanceCase {
  /** The promise. */
  readonly name: string;
  /** What the case needs of the store and its harness beyond the obligatory. */
  readonly needs: readonly StoreCapability[];
  /**
   * Proves it. Needs no `this`, so it may be taken out of the case. A case whose needs the harness lists as unsupported
   * proves nothing and says so with a process warning; skip it in your test runner to have it counted.
   * @throws {AssertionError} when the promise is broken, or the harness neither has nor disclaims a capability
   */
  readonly run: (harness: StoreHarness) => Promise<void>;
}

/** Methods of the harness that make up each capability. */
const METHODS = {
  transactions: ['write', 'fail', 'written'],
  besideTransactions: [], // A matter of the store.
  crash: ['crash'],
  cut: ['cut'],
} as const satisfies Record<StoreCapability, readonly (keyof StoreHarness)[]>;

export function storeCase(
  name: string,
  body: (stage: StoreStage) => Promise<void>,
  needs: readonly StoreCapability[] = [],
): StoreConformanceCase {
  return {
    name,
    needs,
    run: async (harness) => {
      checkCapabilities<StoreCapability, StoreHarness>(harness, METHODS);
      if (!isProvable(name, needs, harness)) return;
      await harness.reset();
      const stage = new StoreStage(harness);
      try {
        await body(stage);
      } catch (error) {
        // What fails while a failed case is cleared away only follows from it.
        await stage.finish().catch(() => undefined);
        throw error;
      }
      await stage.finish();
    },
  };
}
