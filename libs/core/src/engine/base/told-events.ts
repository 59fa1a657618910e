import { Observable, Subscriber, type Observer, type Subscription } from 'rxjs';
import { describe } from '../../errors/describe.js';
import type { Log } from './log.js';

/**
 * The events as listeners see them. A listener that throws is told in the log: by itself RxJS would throw what it threw
 * on the next round of the event loop, which ends the process.
 */
export class ToldEvents<T> extends Observable<T> {
  constructor(
    source: Observable<T>,
    private readonly log: Log,
  ) {
    super((subscriber) => source.subscribe(subscriber));
  }

  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // An operator listens here, such as one of a pipe: its own listeners are not ours to guard.
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
    const observer: Partial<Observer<T>> =
      typeof observerOrNext === 'function' || observerOrNext === null || observerOrNext === undefined
        ? {
            ...(observerOrNext && { next: observerOrNext }),
            ...(error && { error }),
            ...(complete && { complete }),
          }
        : observerOrNext;
    return super.subscribe({
      next: (value) => this.guarded(() => observer.next?.(value)),
      error: (reason: unknown) => this.guarded(() => observer.error?.(reason)),
      complete: () => this.guarded(() => observer.complete?.()),
    });
  }

  private guarded(listen: () => void): void {
    try {
      listen();
    } catch (error) {
      const text = `A listener of the events threw, and goes on listening: ${describe(error)}`;
      this.log.error(text, { event: 'listenerFailed' }, error);
    }
  }
}
