import type { DeadLetterReason } from '../../src/note-headers.js';
import type { CallbackRecord, DirectRecord, EpochRecord, MessageRecord } from './records.js';
import type { Attempt, AttemptResult } from './scenario.js';
import { UpdaterHistory } from './updater-history.js';

export interface HistoryLimits {
  readonly attempts: number;
  readonly handlerTimeout: number;
}

/**
 * What was observed from outside the engine, and the promises that it must keep. It knows nothing of the engine's
 * workings: it sees publishes, deliveries, callbacks and settlements, in the order in which they happened.
 */
export class History {
  readonly violations: string[] = [];
  /** One line for each thing that happened. */
  readonly log: string[] = [];
  readonly updaters: UpdaterHistory;
  private readonly messages = new Map<string, MessageRecord>();
  private readonly byKey = new Map<string, MessageRecord[]>();
  private readonly directs: DirectRecord[] = [];
  private readonly epochs = new Map<string, EpochRecord>();
  private readonly dropped = new Set<string>();
  private readonly crashedProcesses = new Set<string>();
  private everParked = false;
  private garbage = 0;
  private garbageLetters = 0;

  constructor(
    private readonly now: () => number,
    readonly limits: HistoryLimits,
  ) {
    this.updaters = new UpdaterHistory(this, now);
  }

  note(line: string): void {
    this.log.push(`${String(this.now()).padStart(7)}  ${line}`);
  }

  violation(line: string): void {
    this.note(`VIOLATION ${line}`);
    this.violations.push(line);
  }

  // ---- what goes in

  published(key: string, plan: readonly Attempt[], garbled: boolean): MessageRecord {
    const earlier = this.byKey.get(key) ?? [];
    this.byKey.set(key, earlier);
    const index = earlier.length;
    const text = `${key}#${index}`;
    const message: MessageRecord = {
      text,
      key,
      index,
      plan,
      garbled,
      attempts: 0,
      handledIn: new Set(),
      wasParked: false,
      gone: false,
      deadLettered: false,
    };
    earlier.push(message);
    this.messages.set(text, message);
    this.note(`publish ${text}${garbled ? ' (garbled)' : ''}`);
    return message;
  }

  direct(process: string, key: string, plan: readonly Attempt[]): DirectRecord {
    const text = `${key}~${this.directs.length}`;
    const direct: DirectRecord = { text, process, key, plan, attempts: 0, handled: false, ends: 0 };
    this.directs.push(direct);
    this.note(`direct ${text}`);
    return direct;
  }

  /** The engine took a direct message into the key's FIFO. */
  accepted(epoch: EpochRecord, direct: DirectRecord): void {
    fifoOf(epoch, direct.key).push(direct);
  }

  /** The caller of a direct message is told its end. */
  directEnded(direct: DirectRecord, how: 'resolved' | 'rejected'): void {
    this.note(`direct ${direct.text} ${how}`);
    if (++direct.ends > 1) this.violation(`the direct message ${direct.text} ended twice`);
    if (how === 'resolved' && !direct.handled) this.violation(`the direct message ${direct.text} resolved unhandled`);
    if (how === 'rejected' && direct.handled)
      this.violation(`the direct message ${direct.text} rejected though handled`);
    for (const epoch of this.epochs.values()) leaveFifo(epoch, direct);
  }

  droppedKey(key: string): void {
    this.dropped.add(key);
  }

  threwGarbage(): void {
    this.garbage++;
  }

  /** A process is gone without a word: what it owed to callers it owes no more. */
  crashed(process: string): void {
    this.note(`crash ${process}`);
    this.crashedProcesses.add(process);
    this.updaters.crashed(process);
  }

  // ---- epochs

  opened(process: string, shard: number, epoch: number): EpochRecord {
    const text = epochName(process, shard, epoch);
    const record: EpochRecord = {
      text,
      process,
      shard,
      fifos: new Map(),
      ended: false,
      lost: false,
      suspended: false,
      drainEnds: undefined,
      attempts: new Map(),
      discards: new Set(),
    };
    if (this.epochs.has(text)) this.violation(`the epoch ${text} was opened twice`);
    this.epochs.set(text, record);
    this.note(`open ${text}`);
    return record;
  }

  epoch(process: string, shard: number, epoch: number): EpochRecord {
    return this.epochs.get(epochName(process, shard, epoch))!;
  }

  // ---- deliveries

  messageOf(headers: { readonly [name: string]: unknown }): MessageRecord | undefined {
    return this.messages.get(String(headers['message']));
  }

  delivered(epoch: EpochRecord, message: MessageRecord): void {
    this.note(`deliver ${message.text} in ${epoch.text}`);
    fifoOf(epoch, message.key).push(message);
  }

  settled(epoch: EpochRecord, message: MessageRecord): void {
    this.note(`settle ${message.text} in ${epoch.text}`);
    if (epoch.ended) {
      this.violation(`${message.text} was settled by the epoch ${epoch.text}, which has ended`);
      return;
    }
    if (message.handledIn.size === 0) this.violation(`${message.text} was settled before it was handled`);
    this.forget(epoch, message);
  }

  parks(epoch: EpochRecord, message: MessageRecord): void {
    this.note(`park ${message.text} in ${epoch.text}`);
    message.wasParked = true;
    this.everParked = true;
    leaveFifo(epoch, message);
  }

  /** A dead letter is on its way. */
  refuses(epoch: EpochRecord, message: MessageRecord | undefined, reason: DeadLetterReason): void {
    if (message === undefined) return;
    const justified =
      (reason === 'discarded' && epoch.discards.has(message)) ||
      (reason === 'attempts_exhausted' && (epoch.attempts.get(message) ?? 0) >= this.limits.attempts) ||
      (reason === 'payload_undecodable' && message.garbled) ||
      (reason === 'dropped' && this.dropped.has(message.key));
    if (!justified) this.violation(`${message.text} goes to the dead letters as ${reason}, for no reason`);
  }

  deadLettered(epoch: EpochRecord, message: MessageRecord | undefined): void {
    if (message === undefined) {
      this.garbageLetters++;
      return;
    }
    this.note(`dead letter ${message.text} in ${epoch.text}`);
    message.deadLettered = true;
    this.forget(epoch, message);
  }

  private forget(epoch: EpochRecord, message: MessageRecord): void {
    if (message.gone) this.violation(`${message.text} was settled twice`);
    message.gone = true;
    leaveFifo(epoch, message);
  }

  // ---- attempts

  attemptStarted(run: CallbackRecord): void {
    const { epoch, message: item } = run;
    if (item === undefined) return;
    item.attempts++;
    if (epoch.suspended) this.violation(`${run.text} started while its shard was suspended`);
    if (isMessage(item)) {
      const attempts = (epoch.attempts.get(item) ?? 0) + 1;
      epoch.attempts.set(item, attempts);
      if (!item.wasParked && attempts > this.limits.attempts) this.violation(`${run.text} is one attempt too many`);
      this.checkOrder(run, item);
    }
    const fifo = fifoOf(epoch, item.key);
    const place = fifo.indexOf(item);
    if (place > 0) this.violation(`${run.text} overtakes ${fifo[0]!.text}, which came before it`);
    if (place < 0 && !(isMessage(item) && item.wasParked)) this.violation(`${run.text} is no message of its epoch`);
  }

  /** An attempt of a message is legal only if every earlier message of the key was settled or handled before. */
  private checkOrder(run: CallbackRecord, message: MessageRecord): void {
    for (const earlier of this.byKey.get(message.key)!.slice(0, message.index)) {
      if (!earlier.gone && earlier.handledIn.size === 0) {
        this.violation(`${run.text} leaves a gap: ${earlier.text} was neither settled nor handled`);
      }
    }
    if (message.gone) this.violation(`${run.text} started though the message was settled`);
    if (message.garbled) this.violation(`${run.text} started though its payload cannot be decoded`);
    // What comes from side queues is not bounded by the window, and may push others out of the memory.
    if (message.handledIn.has(run.process) && !this.everParked) {
      this.violation(`${run.text} started though this process had handled the message`);
    }
  }

  attemptEnded(run: CallbackRecord, result: AttemptResult): void {
    const { message } = run;
    if (message === undefined) return;
    const failed = result === 'throw' || result === 'invalid';
    if (!isMessage(message)) {
      message.handled ||= !failed;
    } else if (result === 'discard' || result === 'discardContinue' || result === 'stopDiscard') {
      run.epoch.discards.add(message);
    } else if (!failed) {
      message.handledIn.add(run.process);
    }
  }

  // ---- the end

  /** Everything was healed and came to rest: nothing may be left. */
  checkNothingLost(): void {
    for (const { text, gone, handledIn, deadLettered } of this.messages.values()) {
      if (!gone) this.violation(`${text} was never settled`);
      if (handledIn.size === 0 && !deadLettered) this.violation(`${text} was lost`);
    }
    for (const { text, ends, process } of this.directs) {
      if (ends !== 1 && !this.crashedProcesses.has(process))
        this.violation(`the direct message ${text} ended ${ends} times`);
    }
    if (this.garbage !== this.garbageLetters) {
      this.violation(`${this.garbage} undecodable messages made ${this.garbageLetters} dead letters`);
    }
  }
}

function isMessage(item: MessageRecord | DirectRecord): item is MessageRecord {
  return 'index' in item;
}

function fifoOf(epoch: EpochRecord, key: string): (MessageRecord | DirectRecord)[] {
  let fifo = epoch.fifos.get(key);
  if (fifo === undefined) epoch.fifos.set(key, (fifo = []));
  return fifo;
}

function leaveFifo(epoch: EpochRecord, item: MessageRecord | DirectRecord): void {
  const fifo = epoch.fifos.get(item.key);
  const place = fifo?.indexOf(item) ?? -1;
  if (place >= 0) fifo!.splice(place, 1);
}

function epochName(process: string, shard: number, epoch: number): string {
  return `${process}:${shard}/${epoch}`;
}
