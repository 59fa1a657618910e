import { checkCapabilities, isProvable } from '../conformance/capabilities.js';
import type { Capability, TransportHarness } from './harness.js';
import { Stage, type StageOptions } from './stage.js';

/**
 * One promise that a transport must keep.
 * @publicApi
 */
export interface ConformanceCase {
  /** The promise. */
  readonly name: string;
  /** What the case needs of the harness beyond the obligatory. */
  readonly needs: readonly Capability[];
  /**
   * Proves it. Needs no `this`, so it may be taken out of the case. A case whose needs the harness lists as unsupported
   * proves nothing and says so with a process warning; skip it in your test runner to have it counted.
   * @throws {AssertionError} when the promise is broken, or the harness neither has nor disclaims a capability
   */
  readonly run: (harness: TransportHarness) => Promise<void>;
}

export interface CaseOptions extends Partial<StageOptions> {
  readonly needs?: readonly Capability[];
}

/** Methods of the harness that make up each capability. */
const METHODS = {
  loseShard: ['loseShard'],
  block: ['block', 'unblock'],
  injectRaw: ['injectRaw'],
  signals: [], // A matter of the connection, as the next.
  deadLetterReader: [],
} as const satisfies Record<Capability, readonly (keyof TransportHarness)[]>;

export function conformanceCase(
  name: string,
  options: CaseOptions,
  body: (stage: Stage) => Promise<void>,
): ConformanceCase {
  const { needs = [], ...stageOptions } = options;
  return {
    name,
    needs,
    run: async (harness) => {
      checkCapabilities<Capability, TransportHarness>(harness, METHODS);
      if (!isProvable(name, needs, harness)) return;
      await harness.reset();
      const stage = new Stage(harness, { totalCount: 4, prefetch: 10, ...stageOptions });
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
