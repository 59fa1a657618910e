import {
  AttemptsExhaustedError,
  KeyNotParkedError,
  KeyParkedError,
  type DataUpdaterStartError,
} from '../errors/index.js';
import type { Delivery, ParkedMode } from '../transport/transport.interface.js';
import { inspectKey, keyBytes } from '../keys/sharding-key.js';
import { Ack, Stop, type MessageOutcome } from '../outcomes.js';
import { backoff } from './backoff.js';
import type { Timer } from '../clock/clock.interface.js';
import { sendDeadLetter } from './dead-letter.js';
import { Fifo } from './fifo.js';
import type { DeadLetterReason, ParkReason } from './notes.js';
import { Parking, type ParkingHost } from './parking.js';
import type { Shard } from './shard.js';
import { DeliveredMessage, DirectTrackedMessage, type TrackedMessage } from './tracked-message.js';

/** Whoever runs the attempts; told when there may be something to run, or nothing left. */
export interface TrackerOwner {
  readonly id: string;
  trackerChanged(): void;
}

/**
 * Keeps one key's messages in a FIFO, hands over the head only, settles it, then hands the next. The failure policy
 * acts here: the head stays the head until it is settled or the key is parked.
 */
export class MessageTracker implements ParkingHost {
  /** `open`: the head may start; `settling`: the head waits until its dead letter is confirmed. */
  phase: 'open' | 'attempting' | 'backoff' | 'settling' = 'open';
  /** Attempts at the head that have started. */
  attempt = 0;
  /** How often `init` failed in a row. */
  initFailures = 0;
  lastError: unknown;
  private readonly fifo = new Fifo<TrackedMessage>();
  /** Unsettled deliveries of the shard in the FIFO: what this key holds of the prefetch window. */
  private held = 0;
  private timer: Timer | undefined;
  private parking: Parking | undefined;
  private parkWanted = false;

  constructor(
    private readonly shard: Shard,
    private readonly owner: TrackerOwner,
  ) {}

  get id(): string {
    return this.owner.id;
  }
  get head(): TrackedMessage | undefined {
    return this.fifo.peek();
  }
  get ready(): boolean {
    return this.phase === 'open' && this.fifo.length > 0;
  }
  get length(): number {
    return this.fifo.length;
  }
  /** Messages in the side queue or on their way there. */
  get parked(): number {
    return this.parking === undefined ? 0 : this.parking.stored + this.parking.moving;
  }
  get isParked(): boolean {
    return this.parking !== undefined;
  }
  /** Whether nothing is kept here that somebody could still miss. */
  get empty(): boolean {
    return this.fifo.length === 0 && this.parking === undefined && this.phase === 'open';
  }

  deliver(delivery: Delivery, handledBefore: boolean): void {
    const message = new DeliveredMessage(this.shard.engine.round.time, delivery, false, handledBefore);
    if (this.parking !== undefined) {
      this.parking.append(message, {});
      return;
    }
    this.fifo.push(message);
    this.held++;
    if (this.phase === 'backoff') this.relievePressure(0);
    else this.owner.trackerChanged();
  }

  /** Takes a message that bypasses the transport. */
  accept(message: DirectTrackedMessage): void {
    if (this.parking !== undefined || this.parkWanted) {
      message.reject(new KeyParkedError(this.keyText()));
      return;
    }
    this.fifo.push(message);
    this.owner.trackerChanged();
  }

  /** The head starts an attempt. */
  beginAttempt(): TrackedMessage {
    const head = this.fifo.peek()!;
    this.phase = 'attempting';
    this.attempt++;
    return head;
  }

  /** The head was handled: settle it. */
  settle(outcome: MessageOutcome<unknown>): void {
    const head = this.fifo.peek()!;
    if (head instanceof DeliveredMessage) {
      this.shard.session.settle(head.delivery);
      this.remember(head);
    } else {
      (head as DirectTrackedMessage).resolve(outcome);
    }
    this.advance(head);
  }

  /** The head is refused for good. `settled` is called once it is safe in the dead letters and settled. */
  setAside(
    reason: DeadLetterReason,
    error: unknown,
    outcome: MessageOutcome<unknown> | undefined,
    settled: () => void,
  ): void {
    const head = this.fifo.peek()!;
    if (head instanceof DeliveredMessage) {
      this.phase = 'settling';
      const letter = { keyId: this.id, message: head, reason, error, attempts: this.attempt };
      sendDeadLetter(this.shard, letter, () => {
        settled();
        this.advance(head);
      });
      return;
    }
    const direct = head as DirectTrackedMessage;
    if (outcome === undefined) direct.reject(error);
    else direct.resolve(outcome);
    settled();
    this.advance(head);
  }

  /** The head may not start after all. */
  standBack(): void {
    this.phase = 'open';
    this.attempt--;
  }

  /** The head's attempt failed. */
  fail(error: unknown): void {
    if (this.shard.closing) {
      this.standBack();
      return;
    }
    this.lastError = error;
    const { attempts, backoff: bounds } = this.shard.engine.options.failurePolicy;
    if (this.attempt < attempts) {
      this.retryAfter(backoff(this.attempt, bounds, this.shard.engine.random), error);
      return;
    }
    this.exhausted(new AttemptsExhaustedError(this.keyText(), this.attempt, error), error);
  }

  /** `init` failed before the head's attempt: that uses up no attempt, unless a caller waits for the message. */
  startFailed(error: DataUpdaterStartError): void {
    if (this.shard.closing) {
      this.standBack();
      return;
    }
    this.lastError = error;
    this.initFailures++;
    const { attempts, backoff: bounds } = this.shard.engine.options.failurePolicy;
    if (this.head instanceof DirectTrackedMessage) {
      if (this.attempt >= attempts) {
        this.exhausted(new AttemptsExhaustedError(this.keyText(), this.attempt, error), error);
        return;
      }
    } else {
      this.attempt--;
    }
    this.retryAfter(backoff(this.initFailures, bounds, this.shard.engine.random), undefined);
  }

  // ---- parking

  /** Parks the key from its head on, as soon as no attempt of it runs. */
  park(): void {
    if (this.phase === 'attempting' || this.phase === 'settling') {
      this.parkWanted = true;
      return;
    }
    this.cancelTimer();
    this.enterParking('held', 'operator');
  }

  resume(): void {
    this.parkWanted = false;
    if (this.parking?.resume() !== true) return;
    this.attempt = 0;
    this.parking.feed();
  }

  /** Takes over what a former owner of the shard left in the side queue. */
  foundParked(mode: ParkedMode): void {
    (this.parking ??= new Parking(this.shard, this)).found(mode);
  }

  /** Dead-letters the first parked message. */
  async drop(): Promise<void> {
    if (this.parking === undefined) throw new KeyNotParkedError(this.keyText());
    await this.parking.drop();
    this.owner.trackerChanged();
  }

  /** Starts reading from the side queue, where the key is to be fed and no message of it is at hand. */
  feed(): void {
    this.parking?.feed();
  }

  get wantsMessage(): boolean {
    return this.phase === 'open' && this.fifo.length === 0;
  }

  fed(delivery: Delivery): void {
    if (this.parking === undefined) return; // The epoch ended meanwhile.
    // What is new here says nothing about the shard's own queue, so it makes nothing forgotten.
    const handledBefore = delivery.redelivered && this.shard.memory.recognises(this.id, delivery);
    this.fifo.push(new DeliveredMessage(this.shard.engine.round.time, delivery, true, handledBefore));
    this.owner.trackerChanged();
  }

  unparked(): void {
    this.parking = undefined;
    this.owner.trackerChanged();
  }

  // ---- the end of an epoch

  /** Forgets what has not started; the transport brings it again. An attempt that runs keeps its head. */
  clear(error: Error): void {
    if (this.phase === 'backoff' || this.shard.ended) this.cancelTimer();
    const settling = this.phase === 'settling' && !this.shard.ended;
    const attempting = this.phase === 'attempting' || settling ? this.fifo.shift() : undefined;
    for (let message = this.fifo.shift(); message !== undefined; message = this.fifo.shift()) {
      if (message instanceof DirectTrackedMessage) message.reject(error);
      // It comes back once more, and needs no attempt then either.
      else if (message instanceof DeliveredMessage && message.handledBefore) this.remember(message);
    }
    if (attempting === undefined) {
      this.phase = 'open';
      this.attempt = 0;
    } else {
      this.fifo.push(attempting);
    }
    this.parkWanted = false;
    this.parking?.stopReading();
    this.parking = undefined;
  }

  /**
   * The attempt of a lost epoch ended: it settles nothing, but a caller that waits is told, and a success is remembered
   * for the redelivery. Returns the delivery that was handled, if one was.
   */
  endedLate(outcome: MessageOutcome<unknown> | undefined, error: unknown): Delivery | undefined {
    const head = this.fifo.shift();
    this.phase = 'open';
    if (head instanceof DirectTrackedMessage) {
      if (outcome === undefined) head.reject(error);
      else head.resolve(outcome);
    }
    return head instanceof DeliveredMessage && isHandled(outcome) ? head.delivery : undefined;
  }

  /**
   * An attempt of the epoch before ended only now and handled a message: if it is here again it is settled without
   * another. Returns whether it is. Messages before it were handled too, or it could not have run.
   */
  recognise(handled: Delivery): boolean {
    for (let message = this.fifo.peek(); message !== undefined; message = message.next) {
      if (!(message instanceof DeliveredMessage) || message.handledBefore || !message.redelivered) continue;
      if (!sameMessage(message.delivery, handled)) continue;
      message.handledBefore = true;
      return true;
    }
    return false;
  }

  // ---- inside

  private advance(head: TrackedMessage): void {
    this.fifo.shift();
    this.phase = 'open';
    this.attempt = 0;
    this.lastError = undefined;
    if (head instanceof DeliveredMessage) {
      if (!head.fromSideQueue) this.held--;
      else this.parking?.settled();
    }
    if (this.parkWanted) this.enterParking('held', 'operator');
    else this.feed();
    this.owner.trackerChanged();
  }

  private retryAfter(delay: number, retried: unknown): void {
    this.phase = 'backoff';
    const head = this.fifo.peek()!;
    if (retried !== undefined && this.shard.engine.listening) {
      this.shard.emitMessage('retried', this.owner.id, head, this.attempt, { error: retried, delay });
    }
    if (this.parkWanted) {
      this.enterParking('held', 'operator');
      return;
    }
    this.timer = this.shard.engine.clock.after(delay, () => {
      this.timer = undefined;
      this.phase = 'open';
      this.feed();
      this.owner.trackerChanged();
    });
    if (head instanceof DeliveredMessage && head.fromSideQueue) this.putBack();
    else this.relievePressure(delay);
  }

  /** A key in backoff must not sit on its shard's window, nor on a delivery until the broker takes it back. */
  private relievePressure(delay: number): void {
    const head = this.fifo.peek();
    if (head === undefined || this.held === 0) return;
    const { clock, options, prefetch } = this.shard.engine;
    const age = clock.now() + delay - head.receivedAt;
    if (this.held >= prefetch / 2 || age > options.pressureAge) this.enterParking('pressure', 'pressure');
  }

  private exhausted(error: AttemptsExhaustedError, cause: unknown): void {
    const head = this.fifo.peek()!;
    if (this.shard.engine.listening) {
      this.shard.emitMessage('exhausted', this.owner.id, head, this.attempt, { error: cause });
    }
    if (head instanceof DeliveredMessage && this.shard.engine.options.failurePolicy.onExhausted === 'park') {
      this.phase = 'backoff';
      this.enterParking('held', 'attempts_exhausted');
    } else {
      this.setAside('attempts_exhausted', head instanceof DeliveredMessage ? cause : error, undefined, () => undefined);
    }
  }

  private enterParking(mode: ParkedMode, reason: ParkReason): void {
    const failure = { error: this.lastError, attempts: this.attempt };
    this.parkWanted = false;
    if (mode === 'held') this.phase = 'open';
    // What was counted belongs to the head, which a direct message is no longer.
    if (mode === 'held' || this.fifo.peek() instanceof DirectTrackedMessage) {
      this.attempt = 0;
      this.lastError = undefined;
    }
    const parking = (this.parking ??= new Parking(this.shard, this));
    parking.enter(mode, reason);
    const head = this.fifo.peek();
    if (head instanceof DeliveredMessage && head.fromSideQueue) this.putBack();
    for (let message = this.fifo.shift(); message !== undefined; message = this.fifo.shift()) {
      if (message instanceof DeliveredMessage) parking.append(message, message === head ? failure : {});
      else (message as DirectTrackedMessage).reject(new KeyParkedError(this.keyText()));
    }
    this.held = 0;
    this.owner.trackerChanged();
  }

  /** The head that was read from the side queue stays there until its next attempt. */
  private putBack(): void {
    this.fifo.shift();
    this.parking?.stopReading();
  }

  private remember({ delivery }: DeliveredMessage): void {
    this.shard.memory.remember(this.owner.id, delivery);
  }

  private cancelTimer(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private keyText(): string {
    return inspectKey(keyBytes(this.owner.id));
  }
}

/** Whether an outcome that could not settle means that the handler is done with the message. A discard is not: it has no dead letter. */
function isHandled(outcome: MessageOutcome<unknown> | undefined): boolean {
  return outcome instanceof Ack || (outcome instanceof Stop && outcome.settlement === 'ack');
}

function sameMessage(a: Delivery, b: Delivery): boolean {
  return a.messageId !== undefined && a.messageId === b.messageId && Buffer.compare(a.body, b.body) === 0;
}
