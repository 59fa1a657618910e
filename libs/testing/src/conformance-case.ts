import assert from 'node:assert/strict';
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
  signals: [], // A matter of the connection.
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
      checkCapabilities(harness);
      const missing = needs.filter((need) => harness.unsupported.includes(need));
      if (missing.length > 0) {
        process.emitWarning(`"${name}" was not proved: the harness does not support ${missing.join(', ')}.`);
        return;
      }
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

/** @throws {AssertionError} when a capability is neither there nor listed as unsupported, or both */
function checkCapabilities(harness: TransportHarness): void {
  for (const [capability, methods] of Object.entries(METHODS)) {
    const listed = harness.unsupported.includes(capability as Capability);
    for (const method of methods) {
      const there = harness[method] !== undefined;
      assert.notEqual(
        there,
        listed,
        there
          ? `The harness has ${method}, but lists ${capability} as unsupported: remove one of them.`
          : `The harness has no ${method}: add it, or list ${capability} in unsupported.`,
      );
    }
  }
}
