import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from './dispatcher.js';
import type { Keys } from './keys.js';
import type { Bodies } from './message.js';

/** Counts what was handled and tells when a wave is over. */
export class Tally {
  private left = 0;
  private resolve = (): void => undefined;

  readonly handled = (): void => {
    if (--this.left === 0) this.resolve();
  };

  expect(messages: number): Promise<void> {
    this.left = messages;
    return new Promise((resolve) => {
      this.resolve = resolve;
    });
  }
}

/**
 * Hands out messages in waves, round robin over the keys. A wave is dispatched in one turn of the event loop, as what a
 * socket brought would be; the next one follows a turn after the last message of the former was handled.
 */
export class Feeder {
  private cursor = 0;

  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly tally: Tally,
    private readonly keys: Keys,
    private readonly bodies: Bodies,
  ) {}

  async feed(messages: number, wave: number): Promise<void> {
    for (let left = messages; left > 0; left -= wave) {
      await nextTurn();
      const size = Math.min(wave, left);
      const over = this.tally.expect(size);
      this.dispatch(size);
      await over;
    }
  }

  private dispatch(size: number): void {
    const { dispatcher, keys, bodies } = this;
    for (let sent = 0; sent < size; sent++) {
      const index = this.cursor;
      this.cursor = index + 1 === keys.count ? 0 : index + 1;
      dispatcher.dispatch(keys.names[index]!, keys.shards[index]!, bodies.message(keys.bytes[index]!));
    }
  }
}
