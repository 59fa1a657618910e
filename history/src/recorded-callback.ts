import type { CallbackContext, ShardingKey } from '@mississippi/core';
import type { Called, CallbackName, EpochRef, MessageRef, Outcome } from './events.js';
import type { Recorder } from './recorder.js';

/** Where a callback runs, as its context says it. */
type Where = EpochRef & Pick<CallbackContext, 'key' | 'attempt' | 'redelivered'>;

/** The keys of recorded messages are texts. */
export function keyText(key: ShardingKey): string {
  if (typeof key !== 'string') throw new TypeError('Recorded messages have no such key.');
  return key;
}

/** One run of one callback, of an attempt where a message is given: its start is recorded when it is made. */
export class RecordedCallback {
  private readonly called: Called;

  constructor(
    private readonly recorder: Recorder,
    readonly callback: CallbackName,
    private readonly where: Where,
    private readonly state?: number,
    message: MessageRef = { id: '', key: keyText(where.key), seq: -1 },
  ) {
    const { shard, epoch, attempt, redelivered } = where;
    this.called = { ...message, shard, epoch, attempt, redelivered, callback, run: recorder.number() };
    this.recorder.record({ type: 'started', ...this.called, state });
  }

  /** What it is about. */
  get key(): string {
    return keyText(this.where.key);
  }

  /**
   * Records the end.
   * @param change `keeps`: nothing is answered, so that the state stays; `stops`: the data updater is to end
   * @returns the state to answer with
   */
  end(outcome: Outcome, change: 'changes' | 'keeps' | 'stops' = 'changes'): number {
    const kept = outcome === 'failed' || change === 'keeps';
    const state = kept && this.state !== undefined ? this.state : this.recorder.number();
    this.recorder.record({ type: 'ended', ...this.called, outcome, stops: change === 'stops', state });
    return state;
  }
}
