import type { Timer } from '../../clock/clock.interface.js';
import { describe } from '../../errors/describe.js';
import {
  AttemptsExhaustedError,
  KeyParkedError,
  type ParkedState,
  type UnknownMessageTypeError,
} from '../../errors/index.js';
import type { Failure } from '../../interfaces/failure.interface.js';
import { NOTE_HEADERS, type DeadLetterReason, type ParkReason } from '../../note-headers.js';
import type { Delivery, ParkedEntry, ParkedMode } from '../../transport/transport.interface.js';
import type { FailurePolicy } from '../base/failure-policy.js';
import { keyFields, keyTextOf } from '../base/key-text.js';
import { LogLimit } from '../../log-limit.js';
import { keyBytes } from '../../keys/sharding-key.js';
import type { InboxMark } from '../commits/inbox-mark.js';
import type { Fifo } from '../../collections/fifo.js';
import type { PostponedLetter } from './dead-letters.js';
import { describeAttempts, describeMessage } from './describe-message.js';
import { failureOf, type FailedCallback } from './failure-of.js';
import type { ParkedMessage } from './parked-message.js';
import { notedAt } from './notes.js';
import { Parking, type ParkedKey } from './parking.js';
import type { HeadPhase, TrackedKey } from './tracked-key.js';
import { DeliveredMessage, DirectTrackedMessage, type TrackedMessage } from './tracked-message.js';

const TYPE_PAUSED: ParkReason = 'type_paused';

/** What may be otherwise with the next owner: a newer version knows the type, or it is paused no more. */
const TRIED_AGAIN: readonly unknown[] = ['unknown_type', TYPE_PAUSED] satisfies ParkReason[];

/** The tracker of the key, as far as recovering goes. */
export interface RecoveringTracker {
  phase: HeadPhase;
  attempt: number;
  /** Deliveries of the shard that the key holds of the prefetch window. */
  held: number;
  readonly fifo: Fifo<TrackedMessage>;
  /** Refuses the head for good. */
  refuse(reason: DeadLetterReason, error: unknown): void;
  /** The attempt is as if it had not been. */
  standBack(): void;
  /** Whether a delivery was finished before. */
  isRepeat(message: DeliveredMessage): boolean;
  /** Settles one without an attempt. */
  skip(message: DeliveredMessage): void;
}

/**
 * What is done about a key whose head failed, by the failure policy, or which is parked: the head waits for its next
 * attempt, goes to the dead letters, or is parked with all that follows.
 */
export class Recovery implements ParkedKey {
  lastError: unknown;
  /** Since when the head has been here that failed, on the engine's clock, though it went to the side queue and back. */
  failingSince: number | undefined;
  /** How often `init` failed in a row when the head was to be tried. */
  startFailures = 0;
  private timer: Timer | undefined;
  /** What the timer calls. */
  private due: (() => void) | undefined;
  /** The dead letter of the head, between two tries. */
  private letter: PostponedLetter | undefined;
  /** The dead letter is to be tried again, as soon as its message is read from the side queue. */
  private letterDue = false;
  private parking: Parking | undefined;
  /** What the inbox is asked about a message that was read from the side queue, and was not answered. */
  private question: object | undefined;
  /** What waits too long is to be moved, once nothing of the key is uncommitted. */
  private reliefRequested = false;
  /** The head is of a type that is paused, and something of the key is uncommitted. */
  private stopsAtHead = false;
  /** Somebody asked for the key to be parked while its head could not be moved. */
  parkRequested = false;
  private readonly limit: LogLimit;

  constructor(
    readonly key: TrackedKey,
    private readonly tracker: RecoveringTracker,
  ) {
    this.limit = new LogLimit(key.epoch.environment.clock);
  }

  /** Messages in the side queue or on their way there. */
  get parked(): number {
    return this.parking?.length ?? 0;
  }
  /** Messages in the side queue. */
  get stored(): number {
    return this.parking?.stored ?? 0;
  }
  /** The first message in the side queue or on its way there. */
  get firstParked(): ParkedMessage | undefined {
    return this.parking?.first;
  }
  get isParked(): boolean {
    return this.parking !== undefined;
  }
  /** How the key is parked, or will be once its head can be moved. */
  get parkedState(): ParkedState | undefined {
    return this.parkRequested ? 'held' : this.parking?.state;
  }
  /** Why it is parked; `undefined` where it is not. */
  get parkReason(): ParkReason | undefined {
    return this.parking?.why;
  }
  /** Whether the head's dead letter was refused and waits for its next try. */
  get letterWaits(): boolean {
    return this.tracker.phase === 'settling' && (this.letter?.waits === true || this.timer !== undefined);
  }
  /** Whether the key is handled from the side queue. */
  get feeding(): boolean {
    return this.parking?.feeding === true;
  }
  get wantsMessage(): boolean {
    if (this.question !== undefined || this.committing) return false; // What was read last is not settled, and would be read again.
    return (this.tracker.phase === 'open' || this.letterDue) && this.tracker.fifo.length === 0;
  }

  /** That of the method which handles the head, or the instance's. */
  private get policy(): FailurePolicy {
    return this.tracker.fifo.peek()?.policy ?? this.key.epoch.environment.policy;
  }

  /** Whether a commit of the key is pending: nothing of it is moved before that has ended. */
  private get committing(): boolean {
    return this.key.commits !== undefined && this.key.commits.pending > 0;
  }

  /** Moves a new delivery behind what is parked of the key. Returns whether it did. */
  append(message: DeliveredMessage): boolean {
    this.parking?.append(message);
    return this.parking !== undefined;
  }

  // A failure.

  /** An attempt at the head failed. */
  failed(error: unknown): void {
    const { tracker, key, policy } = this;
    this.headFailed(error);
    this.startFailures = 0;
    const failure = { error, callback: 'handleMessage', attempt: tracker.attempt } as const;
    const verdict = policy.verdict(error, () => this.seen(failure));
    const over = verdict === 'discard' || verdict === 'park' || tracker.attempt >= policy.attempts;
    const delay = over ? 0 : policy.delay(tracker.attempt, () => this.seen(failure));
    // A user's function was asked, and may have ended the epoch.
    if (key.epoch.phase !== 'open') tracker.standBack();
    else if (verdict === 'discard') this.discard(error);
    else if (verdict === 'park') this.parkOrRefuse(error, 'error_rule');
    else if (over) this.exhausted(error);
    else this.retry(error, delay);
  }

  /** No method claims the head's type: the key waits for somebody who knows it. */
  unclaimed(error: UnknownMessageTypeError): void {
    this.headFailed(error);
    this.parkOrRefuse(error, error.code);
  }

  /**
   * `init` failed before the head's attempt: that uses up no attempt, unless a caller waits for the message. Callers wait
   * for those behind the head too.
   */
  startFailed(error: Error): void {
    const { tracker, key } = this;
    const { policy } = key.epoch.environment;
    this.headFailed(error);
    const failures = ++this.startFailures;
    this.countForCallers(error);
    if (!(tracker.fifo.peek() instanceof DirectTrackedMessage)) tracker.attempt--;
    else if (tracker.attempt >= policy.attempts) {
      this.exhausted(error);
      return;
    }
    const failure = { error: error.cause, callback: 'init', attempt: failures } as const;
    const delay = policy.delay(failures, () => this.seen(failure));
    if (key.epoch.phase === 'open') this.retryAfter(delay);
    else tracker.phase = 'open';
  }

  /** The dead letter of the head was not taken and is tried again later. */
  postponed(letter: PostponedLetter): void {
    this.letter = letter;
    const head = this.tracker.fifo.peek();
    if (!(head instanceof DeliveredMessage && head.fromSideQueue)) this.relievePressure(letter.delay);
  }

  /**
   * A key that waits for its next attempt, or for the next try of its dead letter, must not sit on its shard's window, nor
   * on a delivery until the broker takes it back. While a dead letter is under way nothing is moved: its message would be
   * doubled, and what stands behind it may not go before it.
   */
  relievePressure(delay = 0): void {
    const { held, fifo, phase } = this.tracker;
    const head = fifo.peek();
    if (head === undefined || held === 0) return;
    // Whoever waits for the store is not to blame, nor to be moved.
    if (this.key.epoch.durable?.instance.link.awayFor !== undefined) return;
    const settling = phase === 'settling';
    if (settling && this.letter?.waits !== true) return;
    const { environment, prefetch, pressureAge } = this.key.epoch;
    const age = environment.clock.now() + delay - head.receivedAt;
    if (held < prefetch / 2 && age <= pressureAge) return;
    if (this.committing) {
      this.relieveWhenCommitted();
      return;
    }
    if (settling) this.takeOver(this.letter!);
    this.enterParking('pressure', 'pressure');
  }

  /** The head was read from the side queue and does not get its turn: it is read again, so that no delivery of it grows old. */
  readAgain(): void {
    this.putBack();
    this.feed();
  }

  private relieveWhenCommitted(): void {
    if (this.reliefRequested) return;
    this.reliefRequested = true;
    this.key.commits!.whenSettled(() => {
      this.reliefRequested = false;
      const { phase } = this.tracker;
      const movable = phase === 'open' || phase === 'backoff';
      if (this.key.epoch.phase === 'open' && this.parking === undefined && movable) this.relievePressure();
      this.key.wake();
    });
  }

  /** Whether what is uncommitted of the key is to be committed before anything else starts. */
  get awaitsCommits(): boolean {
    return this.parkRequested || this.reliefRequested || this.stopsAtHead;
  }

  /** The head has left, one way or another: the next one starts afresh. */
  headLeft(): void {
    this.cancelTimer();
    this.forgetHead();
    if (this.parkRequested) this.park();
    else this.feed();
  }

  // Parking.

  /** Parks the key from its head on, as soon as no attempt at it runs. */
  park(): void {
    const { phase } = this.tracker;
    if (phase === 'attempting' || phase === 'settling') {
      this.parkRequested = true;
      return;
    }
    if (this.committing) {
      this.parkRequested = true;
      this.key.commits!.whenSettled((undone) => {
        // What was undone is to be the head again, and goes with the key.
        if (!undone && this.parkRequested) this.park();
      });
      return;
    }
    this.cancelTimer();
    this.enterParking('held', 'operator');
  }

  /** Parks the key at its head, which is of a type that is paused; with a store, when nothing of the key is uncommitted. */
  pausedAt(type: string): void {
    if (!this.committing) {
      // Whoever tried the head of a key that he holds is to find it held still, also when the type is resumed.
      if (this.parkRequested) this.enterParking('held', 'operator');
      else this.enterParking('held', TYPE_PAUSED, type);
      return;
    }
    if (this.stopsAtHead) return;
    this.stopsAtHead = true;
    this.key.commits!.whenSettled(() => {
      this.stopsAtHead = false;
      this.key.wake(); // The head may be another one then, or its type not be paused any more.
    });
  }

  /** Other types are paused than before: whoever is parked at one that is not goes on. */
  typesChanged(): void {
    const { parking } = this;
    if (parking?.why !== TYPE_PAUSED || parking.state !== 'held') return;
    if (!this.key.epoch.environment.paused.has(parking.pausedType!)) this.resume();
  }

  /** Feeds a held key. Returns whether it was held, or was about to be. */
  resume(): boolean {
    const requested = this.parkRequested;
    this.parkRequested = false;
    if (this.parking?.resume() !== true) return requested;
    this.lastError = undefined;
    this.tracker.attempt = 0;
    this.parking.feed();
    return true;
  }

  /**
   * Dead-letters the first parked message of a parked key.
   * @param expected its id, where another one is to be left alone
   */
  async drop(expected?: string): Promise<void> {
    await this.parking!.drop(expected);
    if (this.parking?.state === 'held') this.lastError = undefined; // It was that message's.
  }

  /** The same for a key that waits for its next attempt, and for that message: the next one follows at once. */
  async dropAwaited(expected?: string): Promise<void> {
    await this.parking!.drop(expected, () => {
      // In the same moment: what comes next may be here before whoever dropped it hears of it.
      if (this.key.epoch.phase !== 'open') return;
      this.cancelTimer();
      this.tracker.phase = 'open';
      this.tracker.attempt = 0;
      this.forgetHead();
    });
    this.feed();
    this.key.wake();
  }

  /**
   * Cuts the wait for the head's next attempt short, or that of its dead letter's next try. Of a held key the head is tried,
   * and whatever becomes of it, the key is held from then on.
   * @returns whether there was something to cut short
   */
  retryNow(): boolean {
    if (this.parking?.state === 'held') {
      if (this.parking.why === TYPE_PAUSED) return this.resume(); // It is held again where it meets the type.
      if (this.parking.stored === 0 || !this.parking.resume()) return false;
      this.tracker.attempt = 0;
      this.parkRequested = true;
      this.parking.feed();
      return true;
    }
    if (this.due !== undefined) this.due();
    else if (this.letter?.hurry() !== true) return false;
    return true;
  }

  /** The head is about to be dropped: what it waited for is not to come. */
  standDown(): void {
    this.cancelTimer();
  }

  /** Takes over what a previous owner of the shard left in the side queue. */
  foundParked(entry: ParkedEntry): void {
    const { mode: found, notes } = entry;
    const untried = found === 'held' && TRIED_AGAIN.includes(notes[NOTE_HEADERS.reason]);
    const mode = untried ? 'pressure' : found;
    // Of a key under pressure the first message says whether it failed, and when at the latest.
    if (mode === 'held') this.failingSince = undefined;
    else if (this.parking === undefined && !untried && notes[NOTE_HEADERS.error] !== undefined)
      this.failingSince = notedAt(notes, this.key.epoch.environment.clock);
    (this.parking ??= new Parking(this)).found(mode, entry);
  }

  /** Starts reading from the side queue, where the key is to be fed and no message of it is at hand. */
  feed(): void {
    this.parking?.feed();
  }

  /** Takes a message that was read from the side queue. */
  fed(delivery: Delivery): void {
    if (this.parking === undefined) return; // The epoch ended meanwhile.
    const { durable } = this.key.epoch;
    if (durable === undefined) this.take(delivery, undefined);
    else {
      const question = (this.question = {});
      durable.lookUp(keyBytes(this.key.id), delivery, (mark) => {
        if (this.question !== question) return; // The key was held meanwhile, and its first message may be another.
        this.question = undefined;
        if (this.parking?.feeding === true) this.take(delivery, mark);
      });
    }
  }

  private take(delivery: Delivery, mark: InboxMark | undefined): void {
    const { environment, memory } = this.key.epoch;
    // What is new here says nothing about the shard's own queue, so it makes nothing forgotten.
    const handledBefore = mark === undefined && delivery.redelivered && memory.takeMark(this.key.id, delivery, false);
    const message = new DeliveredMessage(environment.round.time, delivery, true, handledBefore);
    message.mark = mark;
    this.tracker.fifo.push(message);
    if (this.letterDue) {
      this.letterDue = false;
      this.letter!.send(delivery);
    } else {
      this.key.wake();
    }
  }

  /** A message that came from the side queue is finished for good. */
  parkedSettled(): void {
    this.parking?.settled();
    if (this.key.commits !== undefined) this.feed(); // Until then it would have been read again.
  }

  unparked(): void {
    this.parking = undefined;
    this.key.wake();
  }

  /** The epoch ends. */
  stop(): void {
    this.cancelTimer();
    this.letterDue = false;
    // A key that is to be held after its head is held anyway.
    const { parking } = this;
    const isHeldAgain = parking?.state === 'resuming' && parking.why !== TYPE_PAUSED;
    if (isHeldAgain && !this.parkRequested && this.parked > 0) this.tellHeldAgain(this.parked);
    this.parkRequested = false;
    this.parking?.stopReading();
    this.parking = undefined;
  }

  /** That somebody resumed the key is known here only. */
  private tellHeldAgain(parked: number): void {
    const { key } = this;
    key.epoch.environment.log.warn(
      `The key ${keyTextOf(key)} was being resumed when this process gave up or lost shard ${key.epoch.shard}: ${parked} of its messages are still parked, and held by the next owner. Resume the key again.`,
      { event: 'resumeEnded', ...keyFields(key), parked },
    );
  }

  private retryAfter(delay: number): void {
    const { tracker } = this;
    tracker.phase = 'backoff';
    if (this.parkRequested) {
      this.enterParking('held', 'operator');
      return;
    }
    this.wait(delay, () => {
      tracker.phase = 'open';
      this.feed();
      this.key.wake();
    });
    const head = tracker.fifo.peek();
    if (head instanceof DeliveredMessage && head.fromSideQueue) this.putBack();
    else this.relievePressure(delay);
  }

  private retry(error: unknown, delay: number): void {
    const { key, tracker } = this;
    const { events, log } = key.epoch.environment;
    const head = tracker.fifo.peek()!;
    events.sink?.message('retried', key, head, tracker.attempt, { error, delay });
    this.limit.tell((more, untold) => {
      const next = `failed and is tried again in ${Math.round(delay)} ms`;
      log.warn(
        `Attempt ${tracker.attempt} at the ${this.describe(head)} ${next}: ${describe(error)}${more}`,
        { event: 'retried', ...this.fields(head), attempt: tracker.attempt, delay: Math.round(delay), untold },
        error,
      );
    });
    this.retryAfter(delay);
  }

  private exhausted(error: unknown): void {
    const { key, tracker } = this;
    const { policy } = this;
    const { events } = key.epoch.environment;
    const head = tracker.fifo.peek()!;
    events.sink?.message('exhausted', key, head, tracker.attempt, { error });
    if (policy.onExhausted === 'park') this.parkOrRefuse(error, 'attempts_exhausted');
    else this.refuse('attempts_exhausted', error);
  }

  /** The rule for errors refuses the head for good. */
  private discard(error: unknown): void {
    const { key, tracker } = this;
    const head = tracker.fifo.peek()!;
    // What is committed is told when it is.
    if (key.commits === undefined || head instanceof DirectTrackedMessage) {
      key.epoch.environment.events.sink?.message('discarded', key, head, tracker.attempt, { reason: describe(error) });
    }
    this.refuse('discarded', error);
  }

  /** Parks the key from its failed head on. A direct message is never parked: its caller gets the error. */
  private parkOrRefuse(error: unknown, reason: ParkReason): void {
    const { key, tracker } = this;
    const head = tracker.fifo.peek()!;
    if (!(head instanceof DeliveredMessage)) {
      this.refuse('attempts_exhausted', error);
      return;
    }
    key.epoch.environment.log.error(
      `The ${this.describe(head)} and what follows it are parked after ${describeAttempts(tracker.attempt)}; resume the key or drop the message: ${describe(error)}`,
      { event: 'parked', ...this.fields(head), attempts: tracker.attempt, reason },
      error,
    );
    tracker.phase = 'backoff';
    this.enterParking('held', reason);
  }

  private refuse(reason: DeadLetterReason, error: unknown): void {
    const { tracker, key } = this;
    const direct = !(tracker.fifo.peek() instanceof DeliveredMessage);
    tracker.refuse(reason, direct ? new AttemptsExhaustedError(keyTextOf(key), tracker.attempt, error) : error);
  }

  private seen(failed: FailedCallback): Failure {
    return failureOf(this.key, this.tracker.fifo.peek()!, failed);
  }

  private enterParking(mode: ParkedMode, reason: ParkReason, pausedType?: string): void {
    const { tracker } = this;
    const { fifo } = tracker;
    const failure = { error: this.lastError, attempts: tracker.attempt };
    this.parkRequested = false;
    if (mode === 'held') {
      tracker.phase = 'open';
      this.key.failuresForgotten();
    }
    // What was counted belongs to the head, which a direct message is no longer.
    if (mode === 'held' || fifo.peek() instanceof DirectTrackedMessage) {
      tracker.attempt = 0;
      this.forgetHead();
      // Whoever is to resume the key sees why it is held.
      if (mode === 'held') this.lastError = failure.error;
    }
    const parking = (this.parking ??= new Parking(this));
    parking.enter(mode, reason, pausedType);
    this.question = undefined;
    const head = fifo.peek();
    if (head instanceof DeliveredMessage && head.fromSideQueue) this.putBack();
    for (let message = fifo.shift(); message !== undefined; message = fifo.shift()) {
      if (message instanceof DeliveredMessage) {
        if (tracker.isRepeat(message)) {
          tracker.skip(message);
          continue;
        }
        tracker.held--;
        parking.append(message, message === head ? failure : {});
      } else {
        (message as DirectTrackedMessage).reject(new KeyParkedError(keyTextOf(this.key), parking.state));
      }
    }
    this.key.wake();
  }

  private headFailed(error: unknown): void {
    this.lastError = error;
    this.failingSince ??= this.tracker.fifo.peek()!.receivedAt;
  }

  /** What was counted belongs to a head that is here no longer. */
  private forgetHead(): void {
    this.lastError = undefined;
    this.failingSince = undefined;
    this.startFailures = 0;
    this.letter = undefined;
  }

  /** A failing `init` uses up an attempt of each direct message that waits behind the head: their callers wait too. */
  private countForCallers(error: Error): void {
    const { fifo } = this.tracker;
    const { events, policy } = this.key.epoch.environment;
    let message = fifo.peek()!.next;
    while (message !== undefined) {
      const { next }: TrackedMessage = message;
      if (message instanceof DirectTrackedMessage && ++message.startFailures >= policy.attempts) {
        const failures = message.startFailures;
        fifo.remove(message);
        events.sink?.message('exhausted', this.key, message, failures, { error });
        message.reject(new AttemptsExhaustedError(keyTextOf(this.key), failures, error));
      }
      message = next;
    }
  }

  /** The dead letter's next try is ours: it comes when its message was read from the side queue. */
  private takeOver(letter: PostponedLetter): void {
    letter.withdraw();
    this.failingSince ??= this.tracker.fifo.peek()!.receivedAt;
    this.wait(letter.delay, () => {
      this.letterDue = true;
      this.feed();
    });
  }

  private wait(delay: number, due: () => void): void {
    this.due = (): void => {
      this.cancelTimer();
      due();
    };
    this.timer = this.key.epoch.environment.clock.after(delay, this.due);
  }

  /** When a message failed that a previous owner set aside, on the engine's clock; `undefined` where none did. */
  /** The head that was read from the side queue stays there until its next attempt. */
  private putBack(): void {
    this.tracker.fifo.shift();
    this.parking?.stopReading();
  }

  private cancelTimer(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.due = undefined;
  }

  private describe({ messageId }: TrackedMessage): string {
    return describeMessage(messageId, keyTextOf(this.key), this.key.epoch.shard);
  }

  private fields({ messageId }: TrackedMessage) {
    return { ...keyFields(this.key), messageId };
  }
}
