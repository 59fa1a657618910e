import {
  ack,
  discard,
  type CallbackContext,
  type DataUpdaterHandler,
  type MessageContext,
  type MessageOutcome,
  type ShardingKey,
  type TerminateReason,
} from '@mississippi/core';
import { isReplay, type MessageRef } from './events.js';
import { RecordedCallback } from './recorded-callback.js';
import type { Recorder } from './recorder.js';

/** What every payload tells: which message it is. */
export interface Numbered {
  readonly key: string;
  readonly seq: number;
}

/** What an attempt is at: a replay has no place in the order of its key. */
export function attemptedOf(recorder: Recorder, { key, seq }: Numbered, context: MessageContext): MessageRef {
  const ref = recorder.refOf(context.messageId, context.headers);
  return isReplay(ref) ? { ...ref, key } : { id: context.messageId ?? '', key, seq };
}

/** A handler whose callbacks are recorded. Its state is the number of the last change. */
export abstract class RecordingHandler<
  Payload extends Numbered,
  Signal = unknown,
  Answer = unknown,
> implements DataUpdaterHandler<number, Payload, string, Signal, Answer> {
  constructor(protected readonly recorder: Recorder) {}

  /**
   * What an attempt does between its start and its end, both of which are recorded: a throw makes it a failed one, and
   * what is not discarded is acked.
   */
  protected abstract work(payload: Payload, context: MessageContext): Promise<'discard' | void>;

  init(_key: ShardingKey, context: CallbackContext): number {
    return new RecordedCallback(this.recorder, 'init', context).end('ok');
  }

  async handleMessage(payload: Payload, state: number, context: MessageContext): Promise<MessageOutcome<number>> {
    const message = attemptedOf(this.recorder, payload, context);
    const attempt = new RecordedCallback(this.recorder, 'handleMessage', context, state, message);
    let did: 'discard' | void;
    try {
      did = await this.work(payload, context);
    } catch (error) {
      attempt.end('failed');
      throw error;
    }
    return did === 'discard' ? discard('as it was to be', attempt.end('discarded')) : ack(attempt.end('ok'));
  }

  terminate(_reason: TerminateReason, state: number, context: CallbackContext): void {
    new RecordedCallback(this.recorder, 'terminate', context, state).end('ok');
  }
}
