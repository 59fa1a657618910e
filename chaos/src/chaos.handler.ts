import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ack,
  DataUpdaterService,
  discard,
  MessageHandler,
  type DataUpdaterHandler,
  type MessageContext,
  type MessageOutcome,
  type ShardingKey,
} from '@mississippi/core';
import { Inject } from '@nestjs/common';
import { sickMark, type Command, type Task } from './protocol.js';
import type { Recorder } from './recorder.js';

export const RECORDER = Symbol('recorder');
export const FOLDER = Symbol('folder');

type OperatorSignal = Pick<Extract<Command, { type: 'signal' }>, 'call'>;

/** Does what each message says, and records every flight. */
@MessageHandler({ failurePolicy: { attempts: 3, backoff: { initial: 20, max: 100 }, onExhausted: 'park' } })
export class ChaosHandler implements DataUpdaterHandler<number, Task, OperatorSignal, number> {
  constructor(
    @Inject(RECORDER) private readonly recorder: Recorder,
    @Inject(FOLDER) private readonly folder: string,
    private readonly service: DataUpdaterService,
  ) {}

  async init(): Promise<number> {
    await sleep(1);
    return 0;
  }

  async handleMessage(task: Task, handled: number, context: MessageContext): Promise<MessageOutcome<number>> {
    const { shard, epoch, attempt, redelivered } = context;
    const flight = this.recorder.number();
    const flown = {
      id: context.messageId ?? '',
      key: task.key,
      seq: task.seq,
      shard,
      epoch,
      flight,
      attempt,
      redelivered,
    };
    this.recorder.record({ type: 'start', ...flown });
    await sleep(task.work);
    if (attempt <= task.fails || this.isSick(task.key)) {
      this.recorder.record({ type: 'end', outcome: 'failed', ...flown });
      throw new Error('this attempt was to fail');
    }
    this.recorder.record({ type: 'end', outcome: task.discard ? 'discarded' : 'handled', ...flown });
    return task.discard ? discard('this message was to be discarded', handled) : ack(handled + 1);
  }

  async handleSignal({ call }: OperatorSignal, handled: number, { key }: { key: ShardingKey }): Promise<number> {
    if (call === 'park') await this.service.park(key);
    else await this.service.resume(key);
    return handled;
  }

  private isSick(key: string): boolean {
    return existsSync(join(this.folder, sickMark(key)));
  }
}
