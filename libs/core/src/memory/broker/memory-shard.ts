import { ShardQueue } from './shard-queue.js';
import { SideQueue } from './side-queue.js';

/** One shard of the embedded broker. */
export class MemoryShard {
  readonly queue = new ShardQueue();
  readonly side = new SideQueue();

  constructor(readonly index: number) {}
}
