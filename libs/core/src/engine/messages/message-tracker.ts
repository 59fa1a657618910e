import {
  AttemptsExhaustedError,
  CommitRefusedError,
  HeadChangedError,
  HeadNotWaitingError,
  KeyNotParkedError,
  KeyParkedError,
  TypePausedError,
  type HeadState,
  type ParkedState,
  type MessageStage,
  type UnknownMessageTypeError,
} from '../../errors/index.js';
import type { DeadLetterReason, ParkReason } from '../../note-headers.js';
import { ack, type MessageOutcome } from '../../outcomes.js';
import type { Delivery, ParkedEntry } from '../../transport/transport.interface.js';
import { keyBytes } from '../../keys/sharding-key.js';
import { keyTextOf } from '../base/key-text.js';
import { NO_CHANGES, type Changes } from '../commits/commit-item.js';
import type { InboxMark } from '../commits/inbox-mark.js';
import type { Effect, KeyCommits } from '../commits/key-commits.js';
import { Fifo } from '../../collections/fifo.js';
import { FinishedMessage } from './durable-settlement.js';
import { findHandled, isHandled } from './late-success.js';
import type { NamedMessage, ParkedMessage } from './parked-message.js';
import type { Refusal } from './refusal.js';
import { Recovery, type RecoveringTracker } from './recovery.js';
import type { SettledKey } from './settlement.js';
import type { HeadPhase, TrackedKey } from './tracked-key.js';
import { DeliveredMessage, DirectTrackedMessage, type TrackedMessage } from './tracked-message.js';

/** What whoever has the head dead-lettered hears of it. */
interface LetterHooks {
  /** The key may go on as if it were safe in the dead letters: with a store, before the commit. */
  readonly certain?: () => void;
  /** It is safe there; never called, if the epoch ends before. */
  readonly committed?: () => void;
}

const NO_HOOKS: Required<LetterHooks> = {
  certain: () => undefined,
  committed: () => undefined,
};

/**
 * Keeps one key's messages in a FIFO, hands over the head only, settles it, then hands the next. What is done about a
 * head that failed, or a key that is parked, is the {@link Recovery}'s.
 */
export class MessageTracker implements RecoveringTracker, SettledKey {
  phase: HeadPhase = 'open';
  /** Attempts at the head that have started. */
  attempt = 0;
  /** Unsettled deliveries of the shard here: what this key holds of the prefetch window. */
  held = 0;
  readonly fifo = new Fifo<TrackedMessage>();
  /** Made when it is first needed: most keys never fail. */
  private recovery: Recovery | undefined = undefined;

  constructor(private readonly key: TrackedKey) {}

  get id(): string {
    return this.key.id;
  }
  get epoch(): TrackedKey['epoch'] {
    return this.key.epoch;
  }
  get commits(): KeyCommits | undefined {
    return this.key.commits;
  }
  get head(): TrackedMessage | undefined {
    return this.fifo.peek();
  }
  /** The first message of the key: the head, or where there is none here, the first in the side queue. */
  get first(): NamedMessage | undefined {
    const head = this.head;
    return head === undefined ? this.firstParked : { messageId: head.messageId, type: head.properties?.type };
  }
  /** The first message in the side queue, or on its way there. */
  get firstParked(): ParkedMessage | undefined {
    return this.recovery?.firstParked;
  }
  get ready(): boolean {
    return this.phase === 'open' && this.fifo.length > 0 && (this.commits === undefined || this.mayCommit);
  }
  get length(): number {
    return this.fifo.length;
  }
  /** What the last attempt at the head failed with. */
  get lastError(): unknown {
    return this.recovery?.lastError;
  }
  /** Messages in the side queue or on their way there. */
  get parked(): number {
    return this.recovery?.parked ?? 0;
  }
  /** Messages in the side queue. */
  get stored(): number {
    return this.recovery?.stored ?? 0;
  }
  get isParked(): boolean {
    return this.recovery?.isParked === true;
  }
  /** How the key is parked, or is about to be; `undefined` where it is not. */
  get parkedState(): ParkedState | undefined {
    return this.recovery?.parkedState;
  }
  get parkReason(): ParkReason | undefined {
    return this.recovery?.parkReason;
  }
  /** Whether the head's dead letter was refused and waits for its next try. */
  get letterWaits(): boolean {
    return this.recovery?.letterWaits === true;
  }
  /** Whether nothing here is still needed. */
  get empty(): boolean {
    return this.fifo.length === 0 && this.phase === 'open' && !this.isParked;
  }
  /** Whether no message is to be handled soon: there is none, or the key is held. */
  get idle(): boolean {
    return this.fifo.length === 0 && this.phase === 'open' && this.recovery?.feeding !== true;
  }
  /** Since when the head has been here, on the engine's clock: all its attempts, and its time in the side queue, included. */
  get headSince(): number | undefined {
    return this.recovery?.failingSince ?? this.fifo.peek()?.receivedAt;
  }
  /** Whether the head waits because `init` failed when it was tried last. */
  get awaitsInit(): boolean {
    return this.recovery !== undefined && this.recovery.startFailures > 0;
  }

  // What arrives.

  deliver(delivery: Delivery, handledBefore: boolean, mark?: InboxMark): void {
    const message = new DeliveredMessage(this.epoch.environment.round.time, delivery, false, handledBefore);
    message.mark = mark;
    if (this.recovery?.isParked === true) {
      if (this.isRepeat(message)) {
        // It is finished, and must not go round through the side queue.
        this.held++;
        this.skip(message);
      } else {
        this.recovery.append(message);
      }
      return;
    }
    this.fifo.push(message);
    this.held++;
    if (this.phase === 'backoff' || this.phase === 'settling') this.recovery?.relievePressure();
  }

  /** Whether a delivery was finished before, as far as the inbox and this process know. */
  isRepeat({ mark }: DeliveredMessage): boolean {
    return this.commits !== undefined && mark?.verdict(this.commits) === 'repeat';
  }

  /** Settles a repeat without an attempt. It is in no FIFO. */
  skip(message: DeliveredMessage): void {
    this.epoch.environment.events.sink?.message('skipped', this.key, message, 0);
    this.epoch.settlement.handled(this, message, ack(), 0, NO_CHANGES);
  }

  /** Takes a message that bypasses the transport. */
  accept(message: DirectTrackedMessage): void {
    const parked = this.recovery?.parkedState;
    if (parked === undefined) this.fifo.push(message);
    else message.reject(new KeyParkedError(keyTextOf(this.key), parked));
  }

  /**
   * The caller of a message that bypassed the transport waits no longer: what has not started never does. What runs goes
   * on, and is not tried again.
   * @returns how far it came
   */
  withdraw(message: DirectTrackedMessage): MessageStage {
    message.awaited = false;
    let stage: MessageStage = 'queued';
    if (message.ended) return 'running'; // Its attempt has, and its commit is pending.
    if (message !== this.fifo.peek()) {
      this.fifo.remove(message);
    } else if (this.phase === 'attempting') {
      return 'running';
    } else {
      if (this.attempt > 0) stage = 'retried';
      this.removeHead();
      this.headLeft();
    }
    this.key.wake();
    return stage;
  }

  // What becomes of the head.

  beginAttempt(): TrackedMessage {
    this.phase = 'attempting';
    this.attempt++;
    return this.fifo.peek()!;
  }

  /** The head may not start after all. */
  standBack(): void {
    this.phase = 'open';
    this.attempt--;
  }

  /**
   * The head was handled.
   * @param attempts how many it took; 0 where it was handled before
   */
  handled(outcome: MessageOutcome<unknown>, attempts: number, changes = NO_CHANGES): void {
    const head = this.removeHead();
    if (head instanceof DirectTrackedMessage) head.ended = true;
    this.epoch.settlement.handled(this, head, outcome, attempts, changes);
    this.headLeft();
  }

  /**
   * The head is refused for good: it is dead-lettered, or its caller gets the error.
   * @param outcome where the handler said so
   * @param certain called once it is safe in the dead letters
   */
  refuse(
    reason: DeadLetterReason,
    error: unknown,
    outcome?: MessageOutcome<unknown>,
    certain: () => void = () => undefined,
    changes: Changes = NO_CHANGES,
  ): void {
    const head = this.fifo.peek()!;
    if (!(head instanceof DeliveredMessage)) {
      if (outcome !== undefined && this.commits !== undefined) {
        this.handled(outcome, this.attempt, changes);
        certain();
        return;
      }
      const direct = this.removeHead() as DirectTrackedMessage;
      if (outcome === undefined) direct.reject(error);
      else direct.resolve(outcome);
      certain();
      this.headLeft();
      return;
    }
    this.deadLetter(head, { reason, error, attempts: this.attempt }, changes, { certain });
  }

  /** The head goes to the dead letters. */
  private deadLetter(head: DeliveredMessage, refusal: Refusal, changes: Changes, hooks: LetterHooks): void {
    const { certain, committed } = { ...NO_HOOKS, ...hooks };
    if (this.commits !== undefined) {
      // The dead letter is in the commit, so that nothing of the key has to wait for it.
      this.removeHead();
      this.epoch.settlement.refused(this, head, refusal, { settled: committed }, changes);
      certain();
      this.headLeft();
      return;
    }
    this.phase = 'settling';
    this.epoch.settlement.refused(
      this,
      head,
      refusal,
      {
        settled: () => {
          certain();
          committed();
          // It may have been moved, and read again, between two tries.
          this.settled(this.removeHead() as DeliveredMessage);
          this.headLeft();
          this.key.wake();
        },
        postponed: (letter) => {
          if (this.epoch.phase === 'open') this.recover().postponed(letter);
        },
      },
      changes,
    );
  }

  /** What of the key ended its attempts on a state that is undone is here again, in front and in order. */
  undo(effects: readonly Effect[], error: Error): void {
    const messages = effects.filter(
      (effect, index) => effect instanceof FinishedMessage && effect.returns && (index === 0 || effect.isAwaited),
    ) as FinishedMessage[];
    for (const { message } of messages.toReversed()) {
      if (message instanceof DirectTrackedMessage) message.ended = false;
      this.fifo.unshift(message);
    }
    const [culprit] = messages;
    if (culprit === undefined) return;
    // Only what the store refused has failed; not whose connection broke, nor whom it could not serve at the moment.
    if (culprit !== effects[0] || culprit.attempts === 0 || !(error instanceof CommitRefusedError)) {
      this.attempt = Math.max(0, culprit.attempts - 1);
      if (this.recovery?.parkRequested === true && this.phase === 'open') this.recovery.park();
      return;
    }
    this.attempt = culprit.attempts;
    if (culprit.refusal === undefined) {
      this.phase = 'attempting';
      this.fail(error);
    } else {
      this.setAside(culprit.message as DeliveredMessage, culprit.refusal);
    }
  }

  /** The store does not take the head's dead letter: it is published past the store, and the store told afterwards. */
  private setAside(head: DeliveredMessage, refusal: Refusal): void {
    const { key, epoch } = this;
    this.phase = 'settling';
    epoch.deadLetters.send(
      { key: this, keyBytes: keyBytes(this.id), delivery: head.delivery, ...refusal },
      {
        settled: () => {
          this.settled(this.removeHead() as DeliveredMessage);
          epoch.settlement.noted(this, head, refusal);
          this.headLeft();
          key.wake();
        },
      },
    );
  }

  /** An attempt at the head failed. */
  fail(error: unknown): void {
    if (this.epoch.phase !== 'open') this.standBack();
    else if (!this.givenUp(error)) this.recover().failed(error);
  }

  /** No method claims the head's type, and it is not to be acked for that. */
  unclaimed(error: UnknownMessageTypeError): void {
    const head = this.fifo.peek()!;
    const { environment, phase } = this.epoch;
    const parks = environment.options.onUnknownType === 'park' && head instanceof DeliveredMessage;
    if (!parks) this.refuse(error.code, error);
    else if (phase === 'open') this.recover().unclaimed(error);
    else this.standBack();
  }

  /** The head is of a type that is paused: its attempt is as if it had not been, and the key is parked at it. */
  pausedAt(type: string): void {
    const head = this.fifo.peek();
    this.standBack();
    if (this.epoch.phase !== 'open') return;
    if (!(head instanceof DirectTrackedMessage)) {
      this.recover().pausedAt(type);
      return;
    }
    this.removeHead();
    head.reject(new TypePausedError(type, keyTextOf(this.key)));
    this.headLeft();
  }

  /** Other types are paused than before. */
  typesChanged(): void {
    this.recovery?.typesChanged();
  }

  /** `init` failed before the head's attempt. */
  startFailed(error: Error): void {
    if (this.epoch.phase !== 'open') this.standBack();
    else if (!this.givenUp(error)) this.recover().startFailed(error);
  }

  /** The head may have waited for its turn for so long that the broker is about to take it back. */
  checkAge(): void {
    const head = this.fifo.peek();
    if (this.phase !== 'open' || !(head instanceof DeliveredMessage)) return;
    const { environment, pressureAge } = this.epoch;
    const age = environment.clock.now() - head.receivedAt;
    if (!head.fromSideQueue && age > pressureAge) this.recover().relievePressure();
    else if (head.fromSideQueue && age > pressureAge / 2) this.recovery!.readAgain();
  }

  /** A delivery is finished for good, perhaps some time after it left the FIFO. */
  settled(message: DeliveredMessage): void {
    const { epoch } = this;
    epoch.finished++;
    if (epoch.watches.length > 0) for (const watch of epoch.watches) watch.finished(this.id, message.receivedAt);
    if (!message.fromSideQueue) this.held--;
    else this.recovery?.parkedSettled();
  }

  // What an operator asks, and what a previous owner left.

  park(): void {
    this.recover().park();
  }

  /** @throws {KeyNotParkedError} when it is not held */
  resume(): void {
    if (this.recovery?.resume() === true) return;
    throw new KeyNotParkedError(keyTextOf(this.key), 'resume', this.recovery?.parkedState);
  }

  /**
   * Dead-letters the first parked message.
   * @param expected its id, where another one is to be left alone
   */
  async drop(expected?: string): Promise<void> {
    const state = this.recovery?.parkedState;
    if (!this.isParked || state === 'pressure') throw new KeyNotParkedError(keyTextOf(this.key), 'drop', state);
    await this.recovery!.drop(expected);
    this.key.wake();
  }

  /**
   * Tries the head at once, where it waits for its next attempt. A held key is held again after its head.
   * @param expected its id, where another one is to be left alone
   * @throws {HeadNotWaitingError}
   * @throws {HeadChangedError}
   */
  retry(expected?: string): void {
    const { first } = this;
    if (expected !== undefined && first !== undefined && first.messageId !== expected)
      throw new HeadChangedError(keyTextOf(this.key), expected, first.messageId, 'retry');
    if (this.recovery?.retryNow() !== true) throw this.notWaiting('retry');
  }

  /**
   * Dead-letters the first message, in the side queue or here, unless it is being handled. Resolves when that is certain.
   * @param expected its id, where another one is to be left alone
   * @throws {HeadNotWaitingError}
   * @throws {HeadChangedError}
   */
  async dropHead(expected?: string): Promise<void> {
    const { recovery, phase } = this;
    const head = this.fifo.peek();
    if (head === undefined) {
      const awaited = phase === 'backoff';
      const held = phase === 'open' && recovery?.feeding === false;
      if (recovery === undefined || recovery.parked === 0 || !(awaited || held)) throw this.notWaiting('drop');
      if (recovery.stored === 0) throw new HeadNotWaitingError(keyTextOf(this.key), 'drop', 'moving');
      await (awaited ? recovery.dropAwaited(expected) : recovery.drop(expected));
    } else {
      if (phase === 'attempting' || phase === 'settling') throw this.notWaiting('drop');
      const { messageId } = head;
      if (expected !== undefined && messageId !== expected)
        throw new HeadChangedError(keyTextOf(this.key), expected, messageId);
      await this.dropFirst(head);
    }
    this.key.wake();
  }

  private async dropFirst(head: TrackedMessage): Promise<void> {
    const { lastError: error, attempt: attempts } = this;
    this.recovery?.standDown();
    if (!(head instanceof DeliveredMessage)) {
      this.removeHead();
      (head as DirectTrackedMessage).reject(new AttemptsExhaustedError(keyTextOf(this.key), attempts, error));
      this.headLeft();
      return;
    }
    // When the epoch ends before, whoever dropped it waits for an answer until his time-out.
    await new Promise<void>((committed) => {
      this.deadLetter(head, { reason: 'dropped', error, attempts }, NO_CHANGES, { committed });
    });
  }

  private notWaiting(call: 'retry' | 'drop'): HeadNotWaitingError {
    return new HeadNotWaitingError(keyTextOf(this.key), call, this.headState);
  }

  private get headState(): HeadState {
    if (this.phase === 'attempting') return 'running';
    if (this.phase === 'settling') return 'settling';
    return this.fifo.length > 0 || this.recovery?.feeding === true ? 'ready' : 'none';
  }

  foundParked(entry: ParkedEntry): void {
    this.recover().foundParked(entry);
  }

  /** Starts reading from the side queue, where the key is to be fed and no message of it is at hand. */
  feed(): void {
    this.recovery?.feed();
  }

  // The end of an epoch.

  /** Forgets what has not started; the transport brings it again. An attempt that runs keeps its head. */
  clear(error: Error): void {
    const { ended, memory } = this.epoch;
    const keepsHead = this.phase === 'attempting' || (this.phase === 'settling' && !ended);
    const kept = keepsHead ? this.fifo.shift() : undefined;
    // What it ends with now settles nothing.
    if (ended && kept instanceof DeliveredMessage) memory.leave(this.id, kept.delivery);
    for (let message = this.fifo.shift(); message !== undefined; message = this.fifo.shift()) {
      if (message instanceof DirectTrackedMessage) message.reject(error);
      else this.leave(message as DeliveredMessage);
    }
    if (kept === undefined) {
      this.phase = 'open';
      this.attempt = 0;
    } else {
      this.fifo.push(kept);
    }
    this.recovery?.stop();
    this.recovery = undefined;
  }

  /**
   * An attempt ended after its epoch: it settles nothing, but a caller that waits gets the outcome.
   * With a store its outcome is none: nothing of it is committed.
   * @returns the delivery that was handled, if one was: its redelivery needs no attempt
   */
  endedLate(outcome: MessageOutcome<unknown> | undefined, error: unknown): Delivery | undefined {
    const head = this.fifo.shift();
    this.phase = 'open';
    if (head instanceof DirectTrackedMessage) {
      if (outcome === undefined || this.commits !== undefined) head.reject(error);
      else head.resolve(outcome);
    }
    return head instanceof DeliveredMessage && this.commits === undefined && isHandled(outcome)
      ? head.delivery
      : undefined;
  }

  /** An attempt of the epoch before ended only now and handled a message. Returns whether that is here again. */
  markHandled(handled: Delivery): boolean {
    const message = findHandled(this.fifo, handled);
    if (message !== undefined) message.handledBefore = true;
    return message !== undefined;
  }

  /** A direct message whose caller waits no longer is not tried again. Returns whether the head was one. */
  private givenUp(error: unknown): boolean {
    const head = this.fifo.peek();
    if (!(head instanceof DirectTrackedMessage) || head.awaited) return false;
    this.epoch.environment.events.sink?.message('exhausted', this.key, head, this.attempt, { error });
    this.removeHead();
    this.headLeft();
    return true;
  }

  /** The head has left, one way or another. What has waited for too long behind it is moved before the next one starts. */
  private headLeft(): void {
    this.recovery?.headLeft();
    const head = this.fifo.peek();
    if (head === undefined || this.held === 0) return;
    const { environment, pressureAge } = this.epoch;
    if (environment.round.time - head.receivedAt <= pressureAge) return;
    // One that needs no attempt leaves at once.
    if (!(head instanceof DeliveredMessage && head.handledBefore)) this.recover().relievePressure();
  }

  /** Whether another message may start while those before it are not committed. */
  private get mayCommit(): boolean {
    const commits = this.commits!;
    if (this.epoch.durable!.outbox.congested || commits.full) return false;
    return commits.pending === 0 || this.recovery?.awaitsCommits !== true;
  }

  /** A delivery that has not started comes again; one that was handled before needs no attempt then either. */
  private leave({ delivery, handledBefore }: DeliveredMessage): void {
    const { memory } = this.epoch;
    if (handledBefore) memory.remember(this.id, delivery);
    else memory.leave(this.id, delivery);
  }

  private removeHead(): TrackedMessage {
    const head = this.fifo.shift()!;
    this.phase = 'open';
    this.attempt = 0;
    return head;
  }

  private recover(): Recovery {
    return (this.recovery ??= new Recovery(this.key, this));
  }
}
