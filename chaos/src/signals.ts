import {
  NoOwnerError,
  SignalOutcomeUnknownError,
  SignalTimeoutError,
  type DataUpdaterService,
} from '@mississippi/core';
import type { Recorder, SignalEnd } from '@mississippi/history';
import type { Command, OperatorSignal } from './protocol.js';

/** Sends the operator's signals, and records what becomes of them. */
export class Signals {
  private sent = 0;

  constructor(
    private readonly name: string,
    private readonly operator: DataUpdaterService,
    private readonly recorder: Recorder,
  ) {}

  send({ key, call, wait, timeout }: Extract<Command, { type: 'signal' }>): void {
    const { recorder } = this;
    const id = `${this.name}:${++this.sent}`;
    if (call !== 'wait') recorder.record({ type: 'operator', call, key });
    recorder.record({ type: 'signalled', id, key, timeout });
    this.operator.handleSignal(key, { id, call, wait } satisfies OperatorSignal, { timeout }).then(
      () => recorder.record({ type: 'signalEnded', id, key, how: 'answered' }),
      (error: unknown) => {
        console.error(`the signal ${id} (${call}) to ${key} was not answered: ${String(error)}`);
        recorder.record({ type: 'signalEnded', id, key, how: endOf(error) });
      },
    );
  }
}

/** What a caller may make of the end of his signal. */
function endOf(error: unknown): SignalEnd {
  if (error instanceof SignalTimeoutError) return error.started === false ? 'notRun' : 'unknown';
  if (error instanceof NoOwnerError) return 'notRun';
  return error instanceof SignalOutcomeUnknownError ? 'unknown' : 'failed';
}
