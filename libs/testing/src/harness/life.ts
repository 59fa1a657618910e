import type { Clock, Timer } from '@mississippi/core';
import type { StoreConnection } from '@mississippi/core/store';
import type { TransportConnection } from '@mississippi/core/transport';
import type { Activity } from './activity.js';

/** One life of an instance's process: from its start to a crash or the end of the test. */
export class Life {
  readonly clock: Clock;
  /** What it has open, to be cut off. */
  transport: TransportConnection | undefined;
  store: StoreConnection | undefined;
  /** Whether it published in transactions of its own, so that the store must be asked what waits there. */
  enqueues = false;
  private over = false;
  private readonly underWay = new Map<'store' | 'publish', number>();

  constructor(
    clock: Clock,
    private readonly activity: Activity,
  ) {
    this.clock = new LifeClock(clock, this);
  }

  get ended(): boolean {
    return this.over;
  }

  /** Calls of the store, or publishes, that are not answered. */
  count(kind: 'store' | 'publish'): number {
    return this.over ? 0 : (this.underWay.get(kind) ?? 0);
  }

  /** Counts the call until it is answered. */
  async track<T>(kind: 'store' | 'publish', call: Promise<T>): Promise<T> {
    this.underWay.set(kind, this.count(kind) + 1);
    try {
      return await call;
    } finally {
      this.underWay.set(kind, (this.underWay.get(kind) ?? 1) - 1);
      this.activity.touch();
    }
  }

  /** The process is gone: nothing of it reaches the broker or the store any more, and its timers are no more. */
  async end(): Promise<void> {
    this.over = true;
    await Promise.all([this.transport?.close(), this.store?.close()]);
  }
}

class LifeClock implements Clock {
  constructor(
    private readonly clock: Clock,
    private readonly life: Life,
  ) {}

  now(): number {
    return this.clock.now();
  }

  time(): number {
    return this.clock.time();
  }

  after(delay: number, callback: () => void): Timer {
    return this.clock.after(delay, () => {
      if (!this.life.ended) callback();
    });
  }

  soon(callback: () => void): void {
    this.clock.soon(callback);
  }
}
