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
import { RecordedCallback } from './recorded-callback.js';
import type { Recorder } from './recorder.js';

/** What every payload tells: which message it is. */
export interface Numbered {
  readonly key: string;
  readonly seq: number;
}

/** A handler whose callbacks are recorded. Its state is the number of the last change. */
export abstract class RecordingHandler<
  Payload extends Numbered,
  Signal = unknown,
  Answer = unknown,
> implements DataUpdaterHandler<number, Payload, Signal, Answer> {
  constructor(protected readonly recorder: Recorder) {}

  /** What an attempt does between its start and its end, both of which are recorded. A throw makes it a failed one. */
  protected abstract work(payload: Payload, context: MessageContext): Promise<'ack' | 'discard'>;

  init(_key: ShardingKey, context: CallbackContext): number {
    return new RecordedCallback(this.recorder, 'init', context).end('ok');
  }

  async handleMessage(payload: Payload, state: number, context: MessageContext): Promise<MessageOutcome<number>> {
    const { key, seq } = payload;
    const message = { id: context.messageId ?? '', key, seq };
    const attempt = new RecordedCallback(this.recorder, 'handleMessage', context, state, message);
    let did: 'ack' | 'discard';
    try {
      did = await this.work(payload, context);
    } catch (error) {
      attempt.end('failed');
      throw error;
    }
    return did === 'ack' ? ack(attempt.end('ok')) : discard('as the message says', attempt.end('discarded'));
  }

  terminate(_reason: TerminateReason, state: number, context: CallbackContext): void {
    new RecordedCallback(this.recorder, 'terminate', context, state).end('ok');
  }
}
