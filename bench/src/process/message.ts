import type { Delivery } from '@mississippi/core/transport';
import { bodyOf } from '../body.js';

/** One delivery. A fresh one is made for each message of every contender, as a transport does. */
export class Message implements Delivery {
  readonly headers = NO_HEADERS;
  readonly timestamp = undefined;
  readonly redelivered = false;

  constructor(
    readonly key: Uint8Array,
    readonly body: Uint8Array,
    readonly messageId: string,
  ) {}
}

const NO_HEADERS = {};

/** Bodies and message ids, made beforehand and taken in turns. */
export class Bodies {
  private readonly bodies: Buffer[];
  private readonly ids: string[];
  private next = 0;

  constructor(size = 1_024) {
    this.bodies = Array.from({ length: size }, (_, index) => bodyOf(index));
    this.ids = Array.from({ length: size }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`);
  }

  message(key: Uint8Array): Message {
    const index = this.next;
    this.next = (index + 1) % this.bodies.length;
    return new Message(key, this.bodies[index]!, this.ids[index]!);
  }
}
