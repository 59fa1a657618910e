import type { HistoryEvent } from '@mississippi/history';

/** How long the successor of a process that froze in a transaction may take for its first message of that key. Milliseconds. */
const MOST = 10_000;

interface Wait {
  readonly key: string;
  readonly shard: number;
  readonly frozen: string;
  /** When another process owned the shard, on the monotonic clock. */
  ownedAt: number | undefined;
}

/** Whoever takes the key of a frozen transaction over, and when. */
export class Succession {
  readonly late: string[] = [];
  /** From the new owner's claim to the end of its first message of the key. Milliseconds. */
  readonly times: number[] = [];
  private readonly waits = new Set<Wait>();

  see(event: HistoryEvent): void {
    for (const wait of this.waits) {
      if (event.process === wait.frozen) continue;
      if (event.type === 'owned' && event.shard === wait.shard) wait.ownedAt = event.mono;
      const ended = event.type === 'ended' && event.callback === 'handleMessage' && event.key === wait.key;
      if (ended && wait.ownedAt !== undefined) {
        this.waits.delete(wait);
        this.times.push(event.mono - wait.ownedAt);
        if (event.mono - wait.ownedAt > MOST) this.late.push(`${wait.key} after ${wait.frozen}`);
      }
    }
  }

  expect(key: string, shard: number, frozen: string): Wait {
    const wait: Wait = { key, shard, frozen, ownedAt: undefined };
    this.waits.add(wait);
    return wait;
  }

  isOver(wait: Wait): boolean {
    return !this.waits.has(wait);
  }

  /** The process runs again: whatever was not taken over by then needs no successor. */
  giveUp(wait: Wait): void {
    if (this.waits.delete(wait) && wait.ownedAt !== undefined)
      this.late.push(`${wait.key} after ${wait.frozen}: never`);
  }
}
