import type { Clock, Timer } from '@mississippi/core/transport';
import { EventHeap, type Event } from './event-heap.js';

/** As it was when this file was loaded: a test runner's fake timers must not stop the simulation. */
const { setImmediate } = globalThis;
const nextTick = (callback: () => void): void => process.nextTick(callback);

/** After so many events the event loop gets a turn, so that whoever runs the simulation can be interrupted. */
const EVENTS_PER_TURN = 2_000;

/**
 * Time that passes from event to event. What an event sets off, promises included, has come to rest before the next one
 * comes: Node runs ticks only when no microtask is left (Node.js docs, `process.nextTick`). A round of the event loop for each
 * event, as the `FakeClock` of `@mississippi/testing` takes, would be most of the simulation's time.
 */
export class SimulatedClock implements Clock {
  private readonly events = new EventHeap();
  private passed = 0;
  private order = 0;

  /** Whole, as those of `Clock` are. */
  now(): number {
    return Math.floor(this.passed);
  }

  time(): number {
    return Date.UTC(2026, 0) + this.now();
  }

  /** With its fractions. Milliseconds. */
  get exact(): number {
    return this.passed;
  }

  after(delay: number, callback: () => void): Timer {
    return this.at(this.passed + delay, callback);
  }

  /** @param moment as `exact` counts */
  at(moment: number, callback: () => void): Timer {
    const event: Event = { at: moment, order: this.order++, callback };
    if (moment < Infinity) this.events.push(event);
    return { cancel: () => void (event.callback = undefined) };
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }

  /** @param milliseconds how many pass */
  advance(milliseconds: number): Promise<void> {
    const end = this.passed + milliseconds;
    return new Promise((resolve, reject) => {
      let left = EVENTS_PER_TURN;
      const step = (): void => {
        const event = this.events.takeUntil(end);
        if (event === undefined) {
          this.passed = end;
          resolve();
          return;
        }
        this.passed = Math.max(this.passed, event.at);
        try {
          event.callback?.();
        } catch (error) {
          reject(error);
          return;
        }
        if (left-- > 0) queueMicrotask(() => nextTick(step));
        else {
          left = EVENTS_PER_TURN;
          setImmediate(step);
        }
      };
      setImmediate(step);
    });
  }
}
