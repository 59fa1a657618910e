import type { EngineKey } from '../base/engine-key.js';
import type { KeyCommits } from '../commits/key-commits.js';
import type { Epoch } from './epoch.js';

/** The key whose messages are tracked. */
export interface TrackedKey extends EngineKey {
  readonly epoch: Epoch;
  /** What waits for its commit, where there is a store. */
  readonly commits: KeyCommits | undefined;
  /** Something may run now that could not before, or nothing is left. */
  wake(): void;
  /** The key was set aside until somebody says otherwise: what failed before counts no more. */
  failuresForgotten(): void;
}

/**
 * Where a key's head stands. `open`: it may start, if there is one; `backoff`: it waits for its next attempt;
 * `settling`: it waits until its dead letter is confirmed.
 */
export type HeadPhase = 'open' | 'attempting' | 'backoff' | 'settling';
