import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DataUpdaterService,
  KeyNotParkedError,
  MessageHandler,
  type MessageContext,
  type ShardingKey,
} from '@mississippi/core';
import { RecordingHandler, type Recorder } from '@mississippi/history';
import { Inject } from '@nestjs/common';
import { ATTEMPTS, sickMark, type Command, type Task } from './protocol.js';

export const RECORDER = Symbol('recorder');
export const FOLDER = Symbol('folder');

type OperatorSignal = Pick<Extract<Command, { type: 'signal' }>, 'call'>;

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
    await sleep(task.work);
    if (attempt <= task.fails || this.isSick(task.key)) throw new Error('this attempt was to fail');
    return task.discard ? 'discard' : undefined;
  }

  async handleSignal({ call }: OperatorSignal, handled: number, { key }: { key: ShardingKey }): Promise<number> {
    if (call === 'park') await this.service.park(key);
    else await this.service.resume(key).catch(unlessNotParked);
    return handled;
  }

  private isSick(key: string): boolean {
    return existsSync(join(this.folder, sickMark(key)));
  }
}
