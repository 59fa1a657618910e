import type { Place } from './place.js';
import type { OperatorCall } from './protocol.js';

/** How long the operator waits for an answer. Milliseconds. */
const TIMEOUT = 3_000;

/** Whoever parks and resumes keys, and asks them: by signals, through the publishers in turn, since any process can send them. */
export class Operator {
  private next = 0;

  constructor(private readonly publishers: readonly Place[]) {}

  /**
   * Where no publisher is up the signal is not sent: it could be lost on its way as well.
   * @param wait how long the handler takes for it, in milliseconds
   */
  signal(key: string, call: OperatorCall, wait = 0, timeout = TIMEOUT): void {
    const up = this.publishers.filter((place) => place.up);
    up[this.next++ % up.length]?.send({ type: 'signal', key, call, wait, timeout });
  }
}
