import type { EventStream } from '../http/event-stream.js';

/** A look is not begun sooner than this many times what the last one took: looks take a tenth of the time at most. */
const REST = 9;

export interface LookParts {
  /** As the page knows it. */
  readonly event: string;
  /** Between the end of a look and the next one, at least. Milliseconds. */
  readonly interval: number;
  /** How long a look waits by design, which costs nothing. Milliseconds. */
  readonly waits: number;
  look(): Promise<unknown>;
  /** The last viewer has left. */
  emptied?(): void;
}

/**
 * One loop for all who watch the same thing. It runs while there is somebody, and each look is made into JSON once. A look must not
 * reject.
 */
export class SharedLook {
  private readonly viewers = new Set<EventStream>();
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  private last: string | undefined;

  constructor(private readonly parts: LookParts) {}

  get watched(): boolean {
    return this.viewers.size > 0;
  }

  add(viewer: EventStream): void {
    this.viewers.add(viewer);
    viewer.onClose(() => this.remove(viewer));
    if (this.last !== undefined) viewer.sendText(this.parts.event, this.last);
    this.begin();
  }

  private remove(viewer: EventStream): void {
    this.viewers.delete(viewer);
    if (this.watched) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.last = undefined;
    this.parts.emptied?.();
  }

  private begin(): void {
    if (!this.looking && this.timer === undefined && this.watched) void this.turn();
  }

  private async turn(): Promise<void> {
    this.looking = true;
    const begun = performance.now();
    const seen = JSON.stringify(await this.parts.look());
    this.looking = false;
    if (!this.watched) return;
    this.last = seen;
    for (const viewer of this.viewers) viewer.sendText(this.parts.event, seen);
    const { interval, waits } = this.parts;
    const pause = Math.max(interval, REST * (performance.now() - begun - waits));
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.begin();
    }, pause);
  }
}
