import type { ShardSession } from '../../transport/transport.interface.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';
import type { KeyQueue } from '../keys/key-queue.js';
import { HandledMemory } from '../messages/handled-memory.js';
import { OwnedShard, type EpochLine, type ShardParts } from './owned-shard.js';

/** One shard across its epochs in this process: the one that is owned, and earlier ones in which something still runs. */
export class ShardEpochs implements EpochLine {
  current: OwnedShard | undefined;
  readonly memory: HandledMemory;
  /** Epochs that have ended or are about to, the latest last. */
  private former: readonly OwnedShard[] = [];

  constructor(private readonly parts: ShardParts) {
    this.memory = new HandledMemory(parts.prefetch);
  }

  open(session: ShardSession, epoch: number, durable: DurableEpoch | undefined): OwnedShard {
    this.current?.lost(new Error('a new epoch of the shard began'));
    this.memory.epochEnded();
    this.current = new OwnedShard(session, epoch, this.parts, this, durable);
    return this.current;
  }

  /** The epoch ends; its keys may take a while yet. */
  closed(shard: OwnedShard): void {
    if (this.current === shard) this.current = undefined;
    this.former = this.former.filter((old) => old !== shard && old.queues.size > 0);
    if (shard.queues.size > 0) this.former = [...this.former, shard];
  }

  /** All epochs in which something may run. */
  get all(): readonly OwnedShard[] {
    return this.current === undefined ? this.former : [...this.former, this.current];
  }

  /** Whether the shard is owned, or is being handed over and something of it still runs. */
  get held(): boolean {
    return this.all.some(({ ended }) => !ended);
  }

  *queues(): Generator<KeyQueue> {
    for (const shard of this.all) yield* shard.queues.values();
  }

  /** The queue of the key that may still run from an earlier epoch: the newest, which itself waits for older ones. */
  predecessorOf(key: Uint8Array): KeyQueue | undefined {
    for (let i = this.former.length - 1; i >= 0; i--) {
      const queue = this.former[i]!.queues.get(key);
      if (queue !== undefined) return queue;
    }
    return undefined;
  }
}
