import type { ShardSession } from '../transport/transport.interface.js';
import type { Engine } from './engine.js';
import { HandledMemory } from './handled-memory.js';
import type { KeyQueue } from './key-queue.js';
import { Shard } from './shard.js';

/** One shard across its epochs in this process: the one that is owned, and former ones in which something still runs. */
export class ShardSlot {
  current: Shard | undefined;
  /** Epochs that have ended or are about to, the latest last. */
  former: readonly Shard[] = [];
  private readonly memory: HandledMemory;
  private epoch = 0;

  constructor(
    private readonly engine: Engine,
    prefetch: number,
  ) {
    this.memory = new HandledMemory(prefetch);
  }

  open(session: ShardSession): Shard {
    this.current?.lost(new Error('a new epoch of the shard began'));
    this.memory.turnEpoch();
    this.current = new Shard(this.engine, session, ++this.epoch, this.memory, (key) => this.predecessorOf(key));
    return this.current;
  }

  /** The epoch ends; its keys may take a while yet. */
  closed(shard: Shard): void {
    if (this.current === shard) this.current = undefined;
    this.former = this.former.filter((old) => old !== shard && old.queues.size > 0);
    if (shard.queues.size > 0) this.former = [...this.former, shard];
  }

  *queues(): Generator<KeyQueue> {
    for (const shard of this.former) yield* shard.queues.values();
    if (this.current !== undefined) yield* this.current.queues.values();
  }

  /** The queue of the key that may still run from a former epoch: the newest, which itself waits for older ones. */
  private predecessorOf(key: Uint8Array): KeyQueue | undefined {
    for (let i = this.former.length - 1; i >= 0; i--) {
      const queue = this.former[i]!.queues.get(key);
      if (queue !== undefined) return queue;
    }
    return undefined;
  }
}
