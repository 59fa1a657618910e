import type { Place } from './place.js';
import type { OperatorCall } from './protocol.js';

/** Whoever parks and resumes keys: by signals, through the publishers in turn, since any process can send them. */
export class Operator {
  private next = 0;

  constructor(private readonly publishers: readonly Place[]) {}

  /** Where no publisher is up the signal is not sent: it could be lost on its way as well. */
  signal(key: string, call: OperatorCall): void {
    const up = this.publishers.filter((place) => place.up);
    up[this.next++ % up.length]?.send({ type: 'signal', key, call });
  }
}
