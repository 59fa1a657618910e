import type { Backlog } from '../../transport/transport.interface.js';
import type { Admission } from './admission.js';
import type { MemoryShard } from './memory-shard.js';

/** What is lost when the embedded broker goes with its only app. */
export class MemoryBacklog implements Backlog {
  private waiting: (() => void)[] = [];

  constructor(
    private readonly shards: readonly MemoryShard[],
    private readonly admission: Admission,
  ) {}

  /** What was parked under pressure resumes by itself. */
  get queued(): number {
    return this.shards.reduce((sum, { side }) => sum + side.underPressure, this.admission.length);
  }

  get parked(): number {
    return this.shards.reduce((sum, { side }) => sum + side.messages.size - side.underPressure, 0);
  }

  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      // Only while somebody waits does the admission tell each time that it has nothing left.
      this.admission.idle = () => this.look();
      this.look();
    });
  }

  private look(): void {
    if (this.queued > 0) return;
    this.admission.idle = undefined;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
