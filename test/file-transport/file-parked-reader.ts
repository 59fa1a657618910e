import type { Delivery, ParkedReader } from '@mississippi/core/transport';
import { deferred, type Deferred } from './deferred.js';

/** Gives what is first at the time, as soon as there is something. */
export class FileParkedReader implements ParkedReader {
  private asked: Deferred<Delivery> | undefined;
  private over: Error | undefined;

  constructor(private readonly first: () => Delivery | undefined) {}

  next(): Promise<Delivery> {
    if (this.over !== undefined) return Promise.reject(this.over);
    const asked = deferred<Delivery>();
    this.asked = asked;
    this.wake();
    return asked.promise;
  }

  close(): void {
    this.end(new Error('The reader was closed.'));
  }

  /** There may be something. */
  wake(): void {
    const first = this.asked && this.first();
    if (first === undefined) return;
    this.asked?.resolve(first);
    this.asked = undefined;
  }

  end(cause: Error): void {
    this.over ??= cause;
    this.asked?.reject(this.over);
    this.asked = undefined;
  }
}
