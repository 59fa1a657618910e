import {
  ack,
  discard,
  type CallbackContext,
  type DataUpdaterHandler,
  type MessageContext,
  type MessageOutcome,
  type TerminateReason,
} from '@mississippi/core';
import { RecordedCallback } from './recorded-callback.js';
import type { Recorder } from './recorder.js';
import { attemptedOf, type Numbered } from './recording-handler.js';

/** What became of a key, as a store keeps it. */
export interface Applied {
  /** Number of the last change, in the process that made it. */
  readonly change: number;
  /** The messages whose effect it has, in the order in which they had it. */
  readonly seqs: readonly number[];
  /** What somebody wrote into it from outside, in order. */
  readonly marks: readonly string[];
}

/**
 * A handler whose callbacks are recorded and whose state, in a store, says which messages had their effect: each once, and in order. With a
 * store a data updater begins by `activate`, which is recorded as `init`.
 */
export class AppliedHandler implements DataUpdaterHandler<Applied, Numbered, string> {
  /**
   * @param work what an attempt does between its start and its end, both of which are recorded: a throw makes it a failed one, and what is
   * not discarded is acked
   */
  constructor(
    private readonly recorder: Recorder,
    private readonly work: (payload: Numbered, context: MessageContext) => Promise<'discard' | void>,
  ) {}

  init(): Applied {
    return { change: 0, seqs: [], marks: [] };
  }

  activate({ change }: Applied, context: CallbackContext): void {
    new RecordedCallback(this.recorder, 'init', context, change).end('ok', 'keeps');
  }

  async handleMessage(payload: Numbered, state: Applied, context: MessageContext): Promise<MessageOutcome<Applied>> {
    const { seq } = payload;
    const message = attemptedOf(this.recorder, payload, context);
    const attempt = new RecordedCallback(this.recorder, 'handleMessage', context, state.change, message);
    let did: 'discard' | void;
    try {
      did = await this.work(payload, context);
    } catch (error) {
      attempt.end('failed');
      throw error;
    }
    if (did === 'discard') return discard('as it was to be', { ...state, change: attempt.end('discarded') });
    return ack({ ...state, change: attempt.end('ok'), seqs: [...state.seqs, seq] });
  }

  terminate(_reason: TerminateReason, { change }: Applied, context: CallbackContext): void {
    new RecordedCallback(this.recorder, 'terminate', context, change).end('ok');
  }
}
