import type { Clock, Timer } from '@mississippi/core/transport';

/**
 * Time as one process sees it: nothing comes to it while it is frozen, and everything at once when it wakes; nothing any more
 * when it is dead. Its clock goes on meanwhile, as a monotonic clock does while a process is stopped.
 */
export class ProcessClock implements Clock {
  private frozen = false;
  private dead = false;
  private waiting: (() => void)[] = [];

  constructor(private readonly clock: Clock) {}

  get isFrozen(): boolean {
    return this.frozen;
  }

  get isDead(): boolean {
    return this.dead;
  }

  now(): number {
    return this.clock.now();
  }

  time(): number {
    return this.clock.time();
  }

  after(delay: number, callback: () => void): Timer {
    let cancelled = false;
    const timer = this.clock.after(delay, () => this.run(() => !cancelled && callback()));
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }

  /** Something comes to the process. */
  run(callback: () => void): void {
    if (this.dead) return;
    if (this.frozen) this.waiting.push(callback);
    else callback();
  }

  freeze(): void {
    this.frozen = true;
  }

  wake(): void {
    this.frozen = false;
    const { waiting } = this;
    this.waiting = [];
    for (const callback of waiting) this.clock.soon(() => this.run(callback));
  }

  kill(): void {
    this.dead = true;
    this.waiting = [];
  }
}
