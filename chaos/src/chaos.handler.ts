import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DataUpdaterService,
  KeyNotParkedError,
  MessageHandler,
  type CallbackContext,
  type MessageContext,
} from '@mississippi/core';
import { keyText, RecordedCallback, RecordingHandler, type Recorder } from '@mississippi/history';
import { Inject } from '@nestjs/common';
import { ATTEMPTS, sickMark, SLOWNESS, slowMark, type OperatorSignal, type Task } from './protocol.js';

export const RECORDER = Symbol('recorder');
export const FOLDER = Symbol('folder');

/** The operator resumes keys whether they are parked or not. */
function unlessNotParked(error: unknown): void {
  if (!(error instanceof KeyNotParkedError)) throw error;
}

/** Does what each message says, and has every callback recorded. */
@MessageHandler({ failurePolicy: { attempts: ATTEMPTS, backoff: { initial: 20, max: 100 }, onExhausted: 'park' } })
export class ChaosHandler extends RecordingHandler<Task, OperatorSignal, number> {
  constructor(
    @Inject(RECORDER) recorder: Recorder,
    @Inject(FOLDER) private readonly folder: string,
    private readonly service: DataUpdaterService,
  ) {
    super(recorder);
  }

  protected async work(task: Task, { attempt }: MessageContext): Promise<'discard' | void> {
    await sleep(task.work + (this.isMarked(slowMark(task.key)) ? SLOWNESS : 0));
    if (attempt <= task.fails || this.isMarked(sickMark(task.key))) throw new Error('this attempt was to fail');
    return task.discard ? 'discard' : undefined;
  }

  async handleSignal({ id, call, wait }: OperatorSignal, handled: number, context: CallbackContext): Promise<number> {
    const message = { id, key: keyText(context.key), seq: -1 };
    const run = new RecordedCallback(this.recorder, 'handleSignal', context, handled, message);
    try {
      if (wait > 0) await sleep(wait);
      if (call === 'park') await this.service.park(context.key);
      else if (call === 'resume') await this.service.resume(context.key).catch(unlessNotParked);
    } catch (error) {
      run.end('failed');
      throw error;
    }
    return run.end('ok', 'keeps');
  }

  private isMarked(mark: string): boolean {
    return existsSync(join(this.folder, mark));
  }
}
