import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ack,
  DataUpdaterService,
  discard,
  KeyNotParkedError,
  MessageHandler,
  type CallbackContext,
  type DataUpdaterHandler,
  type MessageContext,
  type MessageOutcome,
} from '@mississippi/core';
import { keyText, RecordedCallback, type Recorder } from '@mississippi/history';
import { Inject } from '@nestjs/common';
import { FOLDER, RECORDER } from '../chaos.handler.js';
import { ATTEMPTS, sickMark, SLOWNESS, slowMark, type OperatorSignal } from '../protocol.js';
import { passedOn, type Booking } from './bookings.js';
import { OWN_ROWS, OWN_TOTALS } from './own-tables.js';
import { emptyLedger, enter, type Ledger } from './ledger.js';
import { STEPS, type Steps } from './steps.js';

interface Client {
  query(sql: string, params: readonly unknown[]): Promise<unknown>;
}

/** Folds what it gets into its state, passes amounts on and writes rows of its own. */
@MessageHandler({ failurePolicy: { attempts: ATTEMPTS, backoff: { initial: 20, max: 100 }, onExhausted: 'park' } })
export class LedgerHandler implements DataUpdaterHandler<Ledger, Booking, string, OperatorSignal, number> {
  constructor(
    @Inject(RECORDER) private readonly recorder: Recorder,
    @Inject(FOLDER) private readonly folder: string,
    @Inject(STEPS) private readonly steps: Steps,
    private readonly service: DataUpdaterService,
  ) {}

  init(): Ledger {
    return emptyLedger();
  }

  async handleMessage(
    booking: Booking,
    state: Ledger,
    context: MessageContext,
  ): Promise<MessageOutcome<Ledger> | undefined> {
    const key = keyText(context.key);
    const message = { id: context.messageId ?? '', key, seq: booking.seq };
    const attempt = new RecordedCallback(this.recorder, 'handleMessage', context, undefined, message);
    try {
      const outcome = await this.work(booking, state, key, context);
      attempt.end(outcome === 'discard' ? 'discarded' : 'ok');
      return outcome === 'discard' ? discard<Ledger>('as it was to be') : outcome;
    } catch (error) {
      attempt.end('failed');
      throw error;
    }
  }

  async handleSignal({ id, call, wait }: OperatorSignal, _state: Ledger, context: CallbackContext): Promise<number> {
    const message = { id, key: keyText(context.key), seq: -1 };
    const run = new RecordedCallback(this.recorder, 'handleSignal', context, undefined, message);
    if (wait > 0) await sleep(wait);
    if (call === 'park') await this.service.park(context.key);
    else if (call === 'resume') await this.service.resume(context.key).catch(unlessNotParked);
    return run.end('ok', 'keeps');
  }

  private async work(
    booking: Booking,
    state: Ledger,
    key: string,
    context: MessageContext,
  ): Promise<MessageOutcome<Ledger> | undefined | 'discard'> {
    if (booking.work > 0) await sleep(booking.work + (this.isMarked(slowMark(key)) ? SLOWNESS : 0));
    // What a failed attempt leaves behind must be undone.
    const fails = context.attempt <= booking.fails || this.isMarked(sickMark(key));
    const next = passedOn(booking);
    // By an id of its own each time, so that nobody but the outbox can know it for the same.
    if (next !== undefined && !booking.discard) context.publish(next, { shardingKey: booking.pass!.to });
    if (booking.writes) await this.write(booking, key, context);
    const entered = booking.inPlace ? state : structuredClone(state);
    if (fails || !booking.discard) enter(entered, booking);
    if (fails) throw new Error('this attempt was to fail');
    if (booking.discard) return 'discard';
    return booking.inPlace ? undefined : ack(entered);
  }

  private async write({ source, seq, amount, discard: refused }: Booking, key: string, context: MessageContext) {
    const client = await context.transaction<Client>();
    if (refused) return; // Nothing but a transaction around it.
    await client.query(`INSERT INTO ${OWN_ROWS} (key, source, seq) VALUES ($1, $2, $3)`, [key, source, seq]);
    this.steps.reach('handler in its transaction', { key, shard: context.shard });
    await client.query(
      `INSERT INTO ${OWN_TOTALS} (key, total) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET total = ${OWN_TOTALS}.total + excluded.total`,
      [key, amount],
    );
    this.steps.reach('handler with a lock', { key, shard: context.shard });
  }

  private isMarked(mark: string): boolean {
    return existsSync(join(this.folder, mark));
  }
}

/** The operator resumes keys whether they are parked or not. */
function unlessNotParked(error: unknown): void {
  if (!(error instanceof KeyNotParkedError)) throw error;
}
