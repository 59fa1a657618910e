import type { ShardSession } from '../../transport/transport.interface.js';
import type { Environment } from '../base/environment.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';
import { DeadLetters } from './dead-letters.js';
import { DurableSettlement } from './durable-settlement.js';
import { EpochState } from './epoch-state.js';
import type { FinishWatch } from './finish-watch.js';
import type { HandledMemory } from './handled-memory.js';
import { ImmediateSettlement, type Settlement } from './settlement.js';
import { SideQueue } from './side-queue.js';

/** What an epoch is made of besides its session. */
export interface EpochParts {
  readonly number: number;
  readonly durable: DurableEpoch | undefined;
  /** The prefetch window. */
  readonly prefetch: number;
  /** How long a message may wait in the window. Milliseconds. */
  readonly pressureAge: number;
  readonly memory: HandledMemory;
  /** Called when fewer moves or dead letters are under way. */
  readonly changed: () => void;
  /** Called when the broker must be asked whether the shard is still ours. */
  readonly doubted: () => void;
}

/** One epoch of one shard, as its keys see it: all that they may use of their shard. */
export class Epoch extends EpochState {
  readonly prefetch: number;
  readonly pressureAge: number;
  readonly memory: HandledMemory;
  readonly side: SideQueue;
  readonly deadLetters: DeadLetters;
  readonly settlement: Settlement;
  /** Messages that were finished in it, handled or given up. */
  finished = 0;
  /** Those who look at this moment. */
  watches: readonly FinishWatch[] = [];
  private readonly doubted: () => void;

  constructor(environment: Environment, session: ShardSession, parts: EpochParts) {
    super(environment, session, parts.number, parts.durable);
    this.prefetch = parts.prefetch;
    this.pressureAge = parts.pressureAge;
    this.memory = parts.memory;
    this.doubted = parts.doubted;
    this.side = new SideQueue(session, environment.options.sideQueueLimit, parts.changed);
    this.deadLetters = new DeadLetters(this, parts.changed);
    this.settlement =
      parts.durable === undefined
        ? new ImmediateSettlement(this, this.memory, this.deadLetters)
        : new DurableSettlement(this, parts.durable, this.deadLetters);
  }

  /** Has the broker asked whether the shard is still ours. */
  verify(): void {
    this.verifying = true;
    this.doubted();
  }

  /** Whether a move or a dead letter is sent and not confirmed. */
  get moving(): boolean {
    return this.side.moving > 0 || this.deadLetters.pending > 0;
  }
}
