import type { MississippiError } from '../errors/index.js';
import type { TerminateReason } from '../interfaces/data-updater-handler.interface.js';
import type { Delivery } from '../transport/transport.interface.js';
import { decodeShardingKey, keyBytes } from '../keys/sharding-key.js';
import type { ContinueOption } from '../outcomes.js';
import { Activation } from './activation.js';
import type { CallbackPlace } from './callback-run.js';
import type { DeadlineItem } from './deadline-list.js';
import { Fifo } from './fifo.js';
import type { SlotSeeker } from './attempt-slots.js';
import type { KeyedItem } from './key-table.js';
import type { Lane, LaneWorker } from './lane.js';
import type { LiveKey } from '../interfaces/live-key.interface.js';
import { MessageTracker, type TrackerOwner } from './message-tracker.js';
import type { PendingSignal } from './pending-signal.js';
import type { Shard } from './shard.js';
import type { DirectTrackedMessage } from './tracked-message.js';
import { continueTurn } from './turns/continue.turn.js';
import { messageTurn } from './turns/message.turn.js';
import { signalTurn } from './turns/signal.turn.js';
import { terminateTurn } from './turns/terminate.turn.js';
import type { Aftermath, TurnHost } from './turns/turn-host.js';

type Turn = (host: TurnHost) => void;

/**
 * One key's serial queue: it decides which callback of the key runs next and runs one at a time. A continuation comes
 * first, then the end of the data updater, then signals and messages in turns; the head of the tracker is a message's
 * only way in.
 */
export class KeyQueue
  implements TrackerOwner, TurnHost, LaneWorker, SlotSeeker, DeadlineItem, CallbackPlace, KeyedItem<KeyQueue>
{
  next: SlotSeeker | undefined;
  twin: KeyQueue | undefined;
  earlier: DeadlineItem | undefined;
  later: DeadlineItem | undefined;
  deadline: number | undefined;
  readonly tracker: MessageTracker;
  readonly activation: Activation;
  continuation: ContinueOption | undefined;
  aftermath: Aftermath | undefined;
  handledLate: Delivery | undefined;
  private signals: Fifo<PendingSignal> | undefined;
  /** Signals that go before the next message: those that waited when the last message ended. */
  private signalsFirst = 0;
  private slot: 'none' | 'asked' | 'granted' = 'none';
  /** Whether the next message was offered a slot while a signal ran. */
  private passedOn = false;
  private lane: Lane | undefined;
  /** Whether a turn has run since the key last rested: others that follow it go on a lane. */
  private busy = false;
  private turn: Turn | undefined;
  private running = false;
  private choosing = false;
  private predecessor: KeyQueue | undefined;
  private successor: KeyQueue | undefined;
  private closeReason: { reason: TerminateReason; error: Error } | undefined;

  constructor(
    readonly home: Shard,
    readonly id: string,
  ) {
    this.tracker = new MessageTracker(home, this);
    this.activation = new Activation(home, this, this.tracker);
  }

  // ---- where its callbacks run

  get owner(): object {
    return this.home.engine;
  }
  get instance(): string {
    return this.home.engine.options.instance;
  }
  get keyId(): string {
    return this.id;
  }
  get shard(): number {
    return this.home.index;
  }
  get epoch(): number {
    return this.home.epoch;
  }
  get closeError(): Error | undefined {
    return this.closeReason?.error;
  }

  // ---- what others ask of it

  deliver(delivery: Delivery, handledBefore: boolean): void {
    this.tracker.deliver(delivery, handledBefore);
  }

  accept(message: DirectTrackedMessage): void {
    this.tracker.accept(message);
    this.choose();
  }

  signal(pending: PendingSignal): void {
    (this.signals ??= new Fifo()).push(pending);
    this.choose();
  }

  takeSignal(): PendingSignal {
    return this.signals!.shift()!;
  }

  trackerChanged(): void {
    this.choose();
  }

  messageEnded(): void {
    this.signalsFirst = this.signals?.length ?? 0;
    this.passedOn = false;
    if (this.slot === 'granted') this.giveSlotBack();
  }

  /** The scheduler gave a slot. */
  granted(): void {
    if (this.running && !this.passedOn) {
      // A signal runs and is to hold no slot. It is passed on once only, so that signals cannot starve the message.
      this.passedOn = true;
      this.giveSlotBack();
      return;
    }
    this.slot = 'granted';
    this.choose();
  }

  /** Ends the data updater in its turn, if it is idle. */
  deactivate(reason: 'idle' | 'evicted'): void {
    const { activation } = this;
    if (activation.updater === undefined || activation.ending !== undefined || this.running) return;
    activation.end(reason);
    this.choose();
  }

  /** Another queue of the same key runs still, from an earlier epoch: this one waits for its end. */
  waitFor(predecessor: KeyQueue): void {
    this.predecessor = predecessor;
    predecessor.successor = this;
  }

  /**
   * The epoch ends. Nothing starts any more; what runs is let finish, and then the data updater is terminated. When the
   * shard is lost, what finishes settles nothing.
   */
  close(reason: TerminateReason, error: MississippiError): void {
    this.closeReason = { reason, error };
    this.tracker.clear(error);
    const { signals } = this;
    for (let pending = signals?.shift(); pending !== undefined; pending = signals?.shift()) pending.reject(error);
    if (this.home.ended) {
      this.continuation = undefined;
      this.aftermath = undefined;
      this.activation.abort(error);
    }
    this.choose();
  }

  /** The drain took too long: what runs is told to end, and after a grace it is abandoned. */
  insist(error: Error): void {
    this.activation.insist(error);
  }

  /** The row of `liveKeys()`. */
  describe(): LiveKey {
    const { tracker, activation } = this;
    const { updater } = activation;
    return {
      key: decodeShardingKey(keyBytes(this.id)),
      shard: this.shard,
      epoch: this.epoch,
      state: this.state(),
      age: updater === undefined ? undefined : this.home.engine.clock.now() - updater.startedAt,
      waiting: tracker.length,
      parked: tracker.parked,
      attempt: tracker.head === undefined ? 0 : Math.max(1, tracker.attempt),
      lastError: tracker.lastError,
    };
  }

  private state(): LiveKey['state'] {
    const { tracker, activation } = this;
    if (activation.ending !== undefined || this.closeReason !== undefined) return 'ending';
    if (this.running) return activation.updater === undefined ? 'starting' : 'running';
    if (tracker.phase === 'backoff') return 'backoff';
    if (tracker.phase === 'settling') return 'settling';
    if (tracker.ready) return 'waiting';
    return tracker.isParked ? 'parked' : 'idle';
  }

  // ---- choosing the next turn

  work(): void {
    this.turn!(this);
  }

  turnEnded(): void {
    if (this.lane === undefined) this.left();
    else this.lane.end();
  }

  left(): void {
    this.running = false;
    this.turn = undefined;
    this.activation.forgetRun();
    // A turn that ended in the synchronous part of its start is followed up by the loop that started it.
    this.choose();
  }

  private choose(): void {
    if (this.choosing || this.running) return;
    this.choosing = true;
    this.turn = this.nextTurn();
    if (this.turn !== undefined) this.home.engine.idle.remove(this);
    while (this.turn !== undefined) {
      this.running = true;
      this.start();
      if (this.running) break;
      this.turn = this.nextTurn();
    }
    this.choosing = false;
    if (!this.running) this.rest();
  }

  /**
   * Behind a turn that follows nothing there is nothing yet to put in order: it needs no lane, which would be a fifth of
   * the cost of a message.
   */
  private start(): void {
    if (this.busy) {
      this.lane ??= this.home.engine.lanes.take();
      this.lane.run(this);
    } else {
      this.busy = true;
      this.work();
    }
  }

  private nextTurn(): Turn | undefined {
    if (this.predecessor !== undefined) return undefined;
    if (this.continuation !== undefined) return continueTurn;
    if (this.aftermath !== undefined) return undefined;
    if (this.activation.ending !== undefined) return terminateTurn;
    if (this.closeReason !== undefined) return this.closingTurn(this.closeReason);
    const mayAttempt = this.tracker.ready && this.home.mayStart();
    const waiting = this.firstAwaited();
    if (mayAttempt && (waiting === undefined || this.signalsFirst === 0)) {
      if (this.slot === 'none') {
        this.slot = 'asked';
        this.home.engine.slots.request(this);
      }
      // Asking may grant at once; where it does not, a signal need not wait for a slot.
      if ((this.slot as string) === 'granted') return messageTurn;
    }
    if (waiting === undefined) return undefined;
    if (this.signalsFirst > 0) this.signalsFirst--;
    return signalTurn;
  }

  private closingTurn({ reason, error }: { reason: TerminateReason; error: Error }): Turn | undefined {
    this.tracker.clear(error);
    if (this.activation.updater === undefined || this.tracker.phase === 'settling') return undefined;
    this.activation.end(reason);
    return terminateTurn;
  }

  private firstAwaited(): PendingSignal | undefined {
    const { signals } = this;
    if (signals === undefined) return undefined;
    while (signals.peek()?.awaited === false) signals.shift();
    return signals.peek();
  }

  /** Nothing to do at the moment. */
  private rest(): void {
    const { engine } = this.home;
    this.busy = false;
    if (this.slot === 'granted') this.giveSlotBack();
    if (this.lane !== undefined) {
      engine.lanes.give(this.lane);
      this.lane = undefined;
    }
    if (!this.tracker.empty) return;
    if (this.activation.updater !== undefined) {
      if (this.deadline === undefined && this.closeReason === undefined) engine.becameIdle(this);
    } else if (this.predecessor === undefined && this.activation.ending === undefined) {
      this.leave();
    }
  }

  /** Nothing of the key is left: forget it, and let the next epoch's queue of the key begin. */
  private leave(): void {
    this.home.forget(this);
    const { successor, handledLate } = this;
    this.successor = undefined;
    if (handledLate !== undefined && successor?.recognise(handledLate) !== true) {
      this.home.memory.rememberLate(this.id, handledLate);
    }
    if (successor === undefined) return;
    successor.predecessor = undefined;
    successor.choose();
  }

  /** An attempt of an earlier epoch handled a message. Returns whether it is here, or belongs to a later epoch still. */
  private recognise(handled: Delivery): boolean {
    if (this.closeReason === undefined) return this.tracker.recognise(handled);
    this.handledLate = handled;
    return true;
  }

  private giveSlotBack(): void {
    this.slot = 'none';
    this.home.engine.slots.release();
  }
}
