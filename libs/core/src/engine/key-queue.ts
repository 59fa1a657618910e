import {
  DataUpdaterStartError,
  InvalidOutcomeError,
  SignalNotHandledError,
  type MississippiError,
} from '../errors/index.js';
import { describe } from '../errors/describe.js';
import type { TerminateReason } from '../interfaces/data-updater-handler.interface.js';
import type { Delivery } from '../interfaces/transport.interface.js';
import { decodeShardingKey, inspectKey, keyBytes } from '../keys/sharding-key.js';
import { Denied } from '../enhancers/denied.js';
import { Ack, Discard, Ok, Reply, Stop, ack, discard, type ContinueOption, type MessageOutcome } from '../outcomes.js';
import { RefusedPayload } from '../payload/refused-payload.js';
import { CallbackRun, type CallbackEnd, type CallbackName, type CallbackPlace } from './callback-run.js';
import { DataUpdater } from './data-updater.js';
import type { DeadlineItem } from './deadline-list.js';
import { Fifo } from './fifo.js';
import type { SlotSeeker } from './flight-slots.js';
import type { Lane, Turn } from './lane.js';
import type { DataUpdaterRef, LiveKey } from './live-key.js';
import { MessageTracker, type TrackerOwner } from './message-tracker.js';
import { PendingSignal } from './pending-signal.js';
import type { Shard } from './shard.js';
import { DeliveredMessage, type DirectTrackedMessage, type TrackedMessage } from './tracked-message.js';

/** What is due once the head's settlement is certain. */
interface Aftermath {
  readonly continuation: ContinueOption | undefined;
  readonly stop: Stop<unknown> | undefined;
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

/**
 * One key's serial queue: it decides which callback of the key runs next and runs one at a time. A continuation comes
 * first, then the end of the data updater, then signals and messages in turns; the head of the tracker is a message's
 * only way in.
 */
export class KeyQueue implements TrackerOwner, SlotSeeker, DeadlineItem, CallbackPlace {
  next: SlotSeeker | undefined;
  earlier: DeadlineItem | undefined;
  later: DeadlineItem | undefined;
  deadline: number | undefined;
  readonly tracker: MessageTracker;
  private updater: DataUpdater | undefined;
  private signals: Fifo<PendingSignal> | undefined;
  /** Signals that go before the next message: those that waited when the last message ended. */
  private signalsFirst = 0;
  private continuation: ContinueOption | undefined;
  private aftermath: Aftermath | undefined;
  /** Set while the data updater is to end. */
  private ending: { reason: TerminateReason } | undefined;
  private slot: 'none' | 'asked' | 'granted' = 'none';
  /** Whether the next message was offered a slot while a signal ran. */
  private passedOn = false;
  private lane: Lane | undefined;
  private current: CallbackRun | undefined;
  private running = false;
  private choosing = false;
  private predecessor: KeyQueue | undefined;
  private successor: KeyQueue | undefined;
  /** What was handled too late to be settled in its epoch. */
  private handledLate: Delivery | undefined;
  private closeReason: { reason: TerminateReason; error: Error } | undefined;

  constructor(
    private readonly home: Shard,
    readonly id: string,
  ) {
    this.tracker = new MessageTracker(home, this);
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

  // ---- what others ask of it

  get live(): DataUpdater | undefined {
    return this.updater?.alive === true ? this.updater : undefined;
  }
  get hasPredecessor(): boolean {
    return this.predecessor !== undefined;
  }
  get failingInit(): boolean {
    return this.tracker.initFailures > 0;
  }
  /** Whether a callback runs or a settlement is under way. */
  get busy(): boolean {
    return this.running || this.tracker.phase === 'settling';
  }

  reference(updater: DataUpdater): DataUpdaterRef {
    return updater.ref(() => decodeShardingKey(keyBytes(this.id)), this.shard, this.epoch);
  }

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

  trackerChanged(): void {
    this.choose();
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
    if (this.updater === undefined || this.ending !== undefined || this.running) return;
    this.end(reason);
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
    for (let pending = this.signals?.shift(); pending !== undefined; pending = this.signals?.shift())
      pending.reject(error);
    if (this.home.ended) {
      this.continuation = undefined;
      this.aftermath = undefined;
      this.current?.abort(error);
    }
    this.choose();
  }

  /** The drain took too long: what runs is told to end, and after a grace it is abandoned. */
  abort(error: Error): void {
    const run = this.current;
    if (run === undefined) return;
    run.abort(error);
    this.home.engine.afterGrace(() => run.end({ ok: false, error, abandoned: true }));
  }

  /** The row of `liveKeys()`. */
  describe(): LiveKey {
    const { clock } = this.home.engine;
    return {
      key: decodeShardingKey(keyBytes(this.id)),
      shard: this.shard,
      epoch: this.epoch,
      state: this.state(),
      age: this.updater === undefined ? undefined : clock.now() - this.updater.startedAt,
      waiting: this.tracker.length,
      parked: this.tracker.parked,
      attempt: this.tracker.head === undefined ? 0 : Math.max(1, this.tracker.attempt),
      lastError: this.tracker.lastError,
    };
  }

  private state(): LiveKey['state'] {
    if (this.ending !== undefined || this.closeReason !== undefined) return 'ending';
    if (this.running) return this.updater === undefined ? 'starting' : 'running';
    if (this.tracker.phase === 'backoff') return 'backoff';
    if (this.tracker.phase === 'settling') return 'settling';
    if (this.tracker.ready) return 'waiting';
    return this.tracker.isParked ? 'parked' : 'idle';
  }

  // ---- choosing the next turn

  private choose(): void {
    if (this.choosing || this.running) return;
    this.choosing = true;
    let turn = this.nextTurn();
    if (turn !== undefined) this.home.engine.idle.remove(this);
    while (turn !== undefined) {
      this.running = true;
      this.lane ??= this.home.engine.lanes.take();
      this.lane.run(turn, this.left);
      if (this.running) break;
      turn = this.nextTurn();
    }
    this.choosing = false;
    if (!this.running) this.rest();
  }

  /** A turn has left the lane. */
  private readonly left = (): void => {
    this.running = false;
    this.current = undefined; // A context that is kept would keep its message too.
    // A turn that ended in the synchronous part of its start is followed up by the loop that started it.
    this.choose();
  };

  private nextTurn(): Turn | undefined {
    if (this.predecessor !== undefined) return undefined;
    if (this.continuation !== undefined) return this.continueTurn;
    if (this.aftermath !== undefined) return undefined;
    if (this.ending !== undefined) return this.terminateTurn;
    if (this.closeReason !== undefined) {
      this.tracker.clear(this.closeReason.error);
      if (this.updater === undefined || this.tracker.phase === 'settling') return undefined;
      this.end(this.closeReason.reason);
      return this.terminateTurn;
    }
    const mayFly = this.tracker.ready && this.home.mayStart();
    const waiting = this.firstAwaited();
    if (mayFly && (waiting === undefined || this.signalsFirst === 0)) {
      if (this.slot === 'none') {
        this.slot = 'asked';
        this.home.engine.slots.request(this);
      }
      // Asking may grant at once; where it does not, a signal need not wait for a slot.
      if ((this.slot as string) === 'granted') return this.flightTurn;
    }
    if (waiting !== undefined) {
      if (this.signalsFirst > 0) this.signalsFirst--;
      return this.signalTurn;
    }
    return undefined;
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
    if (this.slot === 'granted') this.giveSlotBack();
    if (this.lane !== undefined) {
      engine.lanes.give(this.lane);
      this.lane = undefined;
    }
    if (this.updater !== undefined) {
      if (this.tracker.empty && this.deadline === undefined && this.closeReason === undefined) engine.becameIdle(this);
    } else if (this.tracker.empty && this.predecessor === undefined && this.ending === undefined) {
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

  /** A flight of an earlier epoch handled a message. Returns whether it is here, or belongs to a later epoch still. */
  private recognise(handled: Delivery): boolean {
    if (this.closeReason === undefined) return this.tracker.recognise(handled);
    this.handledLate = handled;
    return true;
  }

  private giveSlotBack(): void {
    this.slot = 'none';
    this.home.engine.slots.release();
  }

  // ---- turns

  private readonly flightTurn: Turn = (ended) => {
    const message = this.tracker.takeOff();
    const { engine } = this.home;
    if (message instanceof DeliveredMessage && message.handledBefore) {
      if (engine.listening) this.home.emitMessage('skipped', this.id, message, this.tracker.attempt);
      this.tracker.settle(ack());
      this.messageEnded();
      ended();
      return;
    }
    engine.flights++;
    this.ensureStarted(message, (failure) => {
      if (failure !== undefined) {
        this.landed();
        if (this.home.ended) this.tracker.landedLate(undefined, failure);
        else this.tracker.startFailed(failure);
        ended();
        return;
      }
      if (!this.home.mayStart()) {
        this.landed();
        this.tracker.standBack();
        ended();
        return;
      }
      this.fly(message, ended);
    });
  };

  private fly(message: TrackedMessage, ended: () => void): void {
    const updater = this.updater!;
    const { engine } = this.home;
    if (engine.listening) this.home.emitMessage('flightStarted', this.id, message, this.tracker.attempt);
    this.run(
      'handleMessage',
      message,
      (run) => {
        const { reader, handler } = engine;
        const payload =
          message instanceof DeliveredMessage
            ? reader.read(message.delivery.body)
            : reader.check((message as DirectTrackedMessage).payload);
        if (!isPromise(payload)) return handler.handleMessage(payload, updater.state, run.context());
        return payload.then((ready) => {
          if (!run.running || this.closeReason !== undefined)
            throw new Error('the flight ended before its payload was read');
          return handler.handleMessage(ready, updater.state, run.context());
        });
      },
      (end) => {
        this.landed();
        this.conclude(updater, message, end);
        ended();
      },
    );
  }

  /** A flight has ended: its slot is free before anything else is decided. */
  private landed(): void {
    this.home.engine.flights--;
    this.messageEnded();
  }

  private messageEnded(): void {
    this.signalsFirst = this.signals?.length ?? 0;
    this.passedOn = false;
    if (this.slot === 'granted') this.giveSlotBack();
  }

  private conclude(updater: DataUpdater, message: TrackedMessage, end: CallbackEnd): void {
    if (!end.ok && end.error instanceof RefusedPayload && !this.home.ended) {
      const { reason } = end.error;
      this.tracker.setAside(reason.code, reason, undefined, () => undefined);
      return;
    }
    const outcome = asOutcome(end);
    if (outcome === undefined) {
      this.flightFailed(message, end);
      return;
    }
    updater.keep(outcome.state);
    if (this.home.ended) {
      this.handledLate = this.tracker.landedLate(outcome, undefined);
      return;
    }
    this.apply(outcome, message);
  }

  private flightFailed(message: TrackedMessage, end: CallbackEnd): void {
    const error = end.ok
      ? new InvalidOutcomeError('handleMessage', end.value, 'nothing, ack(), discard() or stop()')
      : end.error;
    const abandoned = !end.ok && end.abandoned;
    this.failed(error, abandoned);
    if (this.home.ended) {
      this.tracker.landedLate(undefined, error);
      return;
    }
    if (abandoned && this.home.engine.listening) {
      this.home.emitMessage('abandoned', this.id, message, this.tracker.attempt, { error });
    }
    this.tracker.fail(error);
  }

  private apply(outcome: MessageOutcome<unknown>, message: TrackedMessage): void {
    const aftermath = {
      continuation: outcome instanceof Stop ? undefined : outcome.continuation,
      stop: outcome instanceof Stop ? outcome : undefined,
    };
    if (outcome instanceof Ack || (outcome instanceof Stop && outcome.settlement === 'ack')) {
      if (this.home.engine.listening) this.home.emitMessage('handled', this.id, message, this.tracker.attempt);
      this.after(aftermath);
      this.tracker.settle(outcome);
      return;
    }
    const reason = describe(outcome.reason);
    if (this.home.engine.listening)
      this.home.emitMessage('discarded', this.id, message, this.tracker.attempt, { reason });
    // Signals need not wait for the dead letter, unless something goes before them.
    if (aftermath.continuation !== undefined || aftermath.stop !== undefined) this.aftermath = aftermath;
    this.tracker.setAside('discarded', reason, outcome, () => {
      this.aftermath = undefined;
      this.after(aftermath);
    });
  }

  private after({ continuation, stop }: Aftermath): void {
    this.continuation = continuation;
    if (stop !== undefined) this.end(stop.reason);
  }

  private readonly continueTurn: Turn = (ended) => {
    const argument = this.continuation!.continue;
    this.continuation = undefined;
    const updater = this.updater!;
    const { handler } = this.home.engine;
    this.run(
      'handleContinue',
      undefined,
      (run) => {
        if (handler.handleContinue === undefined) throw new Error('the handler has no handleContinue: add the method');
        return handler.handleContinue(argument, updater.state, run.context());
      },
      (end) => {
        if (end.ok && (end.value === undefined || end.value instanceof Ok)) {
          updater.keep((end.value as Ok<unknown> | undefined)?.state);
        } else {
          const error = end.ok
            ? new InvalidOutcomeError('handleContinue', end.value, 'nothing or ok(state)')
            : end.error;
          this.home.engine.logger.error(`handleContinue of the key ${this.text()} failed: ${describe(error)}`);
          this.failed(error, !end.ok && end.abandoned);
        }
        ended();
      },
    );
  };

  private readonly signalTurn: Turn = (ended) => {
    const pending = this.signals!.shift()!;
    this.ensureStarted(undefined, (failure) => {
      const refusal = failure ?? this.closeReason?.error; // The epoch may have ended during init.
      if (refusal !== undefined) {
        pending.reject(refusal);
        ended();
        return;
      }
      if (!pending.callsHandler || !pending.awaited) {
        pending.answer(this.reference(this.updater!));
        ended();
        return;
      }
      this.answer(pending, ended);
    });
  };

  private answer(pending: PendingSignal, ended: () => void): void {
    const { engine } = this.home;
    const { handler } = engine;
    const updater = this.updater!;
    if (handler.handleSignal === undefined) {
      pending.reject(new SignalNotHandledError(engine.handlerName));
      ended();
      return;
    }
    pending.start();
    this.run(
      'handleSignal',
      undefined,
      (run) => handler.handleSignal!(pending.signal, updater.state, run.context()),
      (end) => {
        if (end.ok) {
          const answer = end.value instanceof Reply ? end.value : undefined;
          updater.keep(answer?.state);
          if (engine.listening) this.home.emitKey('signalled', this.id);
          pending.answer(answer === undefined ? end.value : answer.value);
        } else if (end.error instanceof Denied || end.error instanceof RefusedPayload) {
          pending.reject(end.error.reason); // The handler never saw it, so nothing happened to its state.
        } else {
          this.failed(end.error, end.abandoned);
          pending.reject(end.error);
        }
        ended();
      },
    );
  }

  private readonly terminateTurn: Turn = (ended) => {
    const { reason } = this.ending!;
    const updater = this.updater!;
    const { engine } = this.home;
    const gone = (): void => {
      this.ending = undefined;
      this.dropUpdater(reason);
      ended();
    };
    if (engine.handler.terminate === undefined) {
      gone();
      return;
    }
    this.run(
      'terminate',
      undefined,
      (run) => engine.handler.terminate!(reason, updater.state, run.context()),
      (end) => {
        if (!end.ok) engine.logger.error(`terminate of the key ${this.text()} failed: ${describe(end.error)}`);
        gone();
      },
    );
  };

  /** Runs `init` where there is no data updater. */
  private ensureStarted(
    message: TrackedMessage | undefined,
    then: (failure: DataUpdaterStartError | undefined) => void,
  ): void {
    if (this.updater !== undefined) {
      then(undefined);
      return;
    }
    const { engine } = this.home;
    const started = (state: unknown): void => {
      this.updater = new DataUpdater(state, engine.clock.now());
      this.tracker.initFailures = 0;
      engine.started();
      if (engine.listening) this.home.emitKey('started', this.id);
      then(undefined);
    };
    const { handler } = engine;
    if (handler.init === undefined) {
      started(undefined);
      return;
    }
    this.run(
      'init',
      message,
      (run) => {
        const context = run.context();
        return handler.init!(context.key, context);
      },
      (end) => {
        if (end.ok) {
          started(end.value);
          return;
        }
        const failures = this.tracker.initFailures + 1;
        if (engine.listening) this.home.emitKey('startFailed', this.id, { error: end.error, failures });
        then(new DataUpdaterStartError(this.text(), end.error));
      },
    );
  }

  /** A callback failed: its data updater ends. One that was abandoned may still touch its state, so it is not terminated. */
  private failed(error: unknown, abandoned: boolean): void {
    if (abandoned) this.dropUpdater(error);
    else this.end(error);
  }

  private end(reason: TerminateReason): void {
    this.ending = { reason };
    if (this.updater !== undefined) this.retire(this.updater);
  }

  /** From now on nothing but `terminate` runs on it. */
  private retire(updater: DataUpdater): void {
    if (!updater.alive) return;
    updater.alive = false;
    this.home.engine.ending();
  }

  private dropUpdater(reason: TerminateReason): void {
    if (this.updater === undefined) return;
    this.retire(this.updater);
    this.updater = undefined;
    const { engine } = this.home;
    engine.ended();
    if (engine.listening) this.home.emitKey('deactivated', this.id, { reason });
  }

  private run(
    name: CallbackName,
    message: TrackedMessage | undefined,
    invoke: (run: CallbackRun) => unknown,
    then: (end: CallbackEnd) => void,
  ): void {
    const run = new CallbackRun(name, this, message, this.tracker.attempt);
    this.current = run;
    if (this.home.overdue !== undefined) this.abort(this.home.overdue);
    this.home.engine.callbacks.run(run, invoke, then);
  }

  private text(): string {
    return inspectKey(keyBytes(this.id));
  }
}

/** What a flight's end means for the message; `undefined` is a failed attempt. */
function asOutcome(end: CallbackEnd): MessageOutcome<unknown> | undefined {
  if (!end.ok) return end.error instanceof Denied ? discard(end.error) : undefined;
  const { value } = end;
  if (value === undefined) return ack();
  return value instanceof Ack || value instanceof Discard || value instanceof Stop ? value : undefined;
}
