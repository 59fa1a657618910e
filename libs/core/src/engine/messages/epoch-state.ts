import type { ShardSession } from '../../transport/transport.interface.js';
import type { Environment } from '../base/environment.js';
import type { EngineEpoch } from '../base/engine-key.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';

/** How far an epoch is, and whether the shard is certain to be ours. */
export class EpochState implements EngineEpoch {
  /** `open`: attempts start. `closing`: nothing starts any more, what runs may settle. `ended`: nothing can be settled. */
  phase: 'open' | 'closing' | 'ended' = 'open';
  /** Set when the drain is past its deadline: what starts now, a `terminate` say, has no more than the grace. */
  overdue: Error | undefined;
  /** The broker was asked whether the shard is still ours, and has not answered. */
  verifying = false;

  constructor(
    readonly environment: Environment,
    readonly session: ShardSession,
    readonly number: number,
    /** What it has of the store, where there is one. */
    readonly durable: DurableEpoch | undefined,
  ) {}

  get shard(): number {
    return this.session.shard;
  }

  get ended(): boolean {
    return this.phase === 'ended';
  }

  /** Whether an attempt may start: `suspended` until the epoch or the broker says otherwise, `uncertain` until somebody asks the broker. */
  get ownership(): 'certain' | 'uncertain' | 'suspended' {
    if (this.phase !== 'open' || this.verifying) return 'suspended';
    return this.session.isCertain?.() === false ? 'uncertain' : 'certain';
  }
}
