import type { MessageStage, MississippiError } from '../../errors/index.js';
import type { TerminateReason } from '../../interfaces/data-updater-handler.interface.js';
import type { ContinueOption } from '../../outcomes.js';
import type { Trace } from '../../telemetry/telemetry.interface.js';
import type { Delivery } from '../../transport/transport.interface.js';
import type { AttemptSlots, SlotSeeker } from '../base/attempt-slots.js';
import type { AwaitedKey, CallbackScope } from '../base/caller.js';
import type { DeadlineItem } from '../base/deadline-list.js';
import type { KeyedItem } from '../base/key-table.js';
import type { PacedKey, SignalPace } from '../base/signal-pace.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';
import { identityOf, InboxMark } from '../commits/inbox-mark.js';
import { keyBytes } from '../../keys/sharding-key.js';
import { KeyCommits, type CommittingKey, type Effect } from '../commits/key-commits.js';
import type { Epoch } from '../messages/epoch.js';
import { MessageTracker } from '../messages/message-tracker.js';
import type { TrackedKey } from '../messages/tracked-key.js';
import type { DirectTrackedMessage } from '../messages/tracked-message.js';
import { Activation } from '../updaters/activation.js';
import type { Callbacks } from '../updaters/callbacks.js';
import type { Population, RestingKey } from '../updaters/population.js';
import type { Lane, LanePool, LaneWorker } from './lane.js';
import { nextStep, type KeyState, type Step } from './next-step.js';
import type { PendingSignal } from './pending-signal.js';
import { SignalQueue, type SignalledKey } from './signal-queue.js';
import { Legacy, type Successor } from './succession.js';
import { runTurn } from './turns/run-turn.js';
import type { FollowUp, TurnKey } from './turns/turn-key.js';

const NO_BODY = new Uint8Array(0);

/** What the keys of one epoch share. */
export interface KeyParts {
  readonly callbacks: Callbacks;
  readonly population: Population;
  readonly slots: AttemptSlots;
  readonly pace: SignalPace;
  readonly lanes: LanePool;
  /** Nothing of a key is left. */
  left(key: KeyQueue): void;
}

/**
 * One key's serial queue, in one epoch of its shard: one turn runs at a time, and when it has ended the next step is
 * chosen. The head of the tracker is a message's only way in.
 *
 * Every field is set when the key is made, so that all keys have one hidden class: fields that come later, each in its
 * own order, cost a third of a message's time with 10,000 keys (V8 11.3).
 */
export class KeyQueue
  implements
    TrackedKey,
    TurnKey,
    KeyState,
    LaneWorker,
    SlotSeeker,
    PacedKey,
    RestingKey,
    AwaitedKey,
    SignalledKey,
    Successor,
    CommittingKey,
    KeyedItem<KeyQueue>
{
  next: SlotSeeker | undefined = undefined;
  twin: KeyQueue | undefined = undefined;
  earlier: DeadlineItem | undefined = undefined;
  later: DeadlineItem | undefined = undefined;
  deadline: number | undefined = undefined;
  /** What waits for its commit, where there is a store. */
  readonly commits: KeyCommits | undefined;
  /** What the store refused while a callback ran on it. */
  private refusal: { readonly effects: readonly Effect[]; readonly error: Error } | undefined = undefined;
  readonly tracker: MessageTracker;
  readonly activation: Activation;
  private predecessor: KeyQueue | undefined = undefined;
  continuation: ContinueOption | undefined = undefined;
  continuationTrace: Trace | undefined = undefined;
  followUp: FollowUp | undefined = undefined;
  slot: 'none' | 'requested' | 'granted' = 'none';
  /** Callbacks that wait for a message of this key. */
  awaited = 0;
  /** Direct messages about which the inbox is asked. */
  private coming = 0;
  signalsFirst = 0;
  signalsPaused = false;
  private signalQueue: SignalQueue | undefined = undefined;
  /** Whether the next message passed its slot on while a signal ran. */
  private passedOn = false;
  /** Whether the attempt has lent its slot, because it waits for another key. */
  private lent = false;
  private lane: Lane | undefined = undefined;
  /** Whether a turn has run since the key last rested. */
  private follows = false;
  /** Whose turn runs; `nothing` while none does. */
  private turn: Step = 'nothing';
  private stepping = false;
  private closeReason: { readonly reason: TerminateReason; readonly error: Error } | undefined = undefined;
  private legacy: Legacy | undefined = undefined;

  constructor(
    readonly epoch: Epoch,
    readonly id: string,
    private readonly parts: KeyParts,
  ) {
    this.commits = epoch.durable === undefined ? undefined : new KeyCommits(this, epoch.durable);
    this.tracker = new MessageTracker(this);
    this.activation = new Activation(this, parts.callbacks, parts.population);
  }

  get preceded(): boolean {
    return this.predecessor !== undefined;
  }
  get continues(): boolean {
    return this.continuation !== undefined;
  }
  get awaitsDeadLetter(): boolean {
    return this.followUp !== undefined;
  }
  get updater(): KeyState['updater'] {
    const { activation } = this;
    if (activation.ending !== undefined) return 'ending';
    return activation.updater === undefined ? 'none' : 'live';
  }
  get committing(): boolean {
    return this.commits !== undefined && this.commits.pending > 0;
  }
  get full(): boolean {
    return this.commits?.full === true;
  }
  get durable(): DurableEpoch | undefined {
    return this.epoch.durable;
  }
  get undone(): Error | undefined {
    return this.refusal?.error;
  }
  get closing(): boolean {
    return this.closeReason !== undefined;
  }
  get closeError(): Error | undefined {
    return this.closeReason?.error;
  }
  get head(): KeyState['head'] {
    if (this.tracker.ready) return 'ready';
    return this.tracker.phase === 'settling' ? 'settling' : 'none';
  }
  get ownership(): KeyState['ownership'] {
    return this.epoch.ownership;
  }
  get signals(): number {
    return this.signalQueue === undefined ? 0 : this.signalQueue.length;
  }
  get callback(): CallbackScope | undefined {
    return this.activation.callback ?? this.predecessor?.callback;
  }
  get urgent(): boolean {
    return this.awaited > 0;
  }
  get running(): boolean {
    return this.turn !== 'nothing';
  }

  deliver(delivery: Delivery, handledBefore: boolean, mark?: InboxMark): void {
    this.tracker.deliver(delivery, handledBefore, mark);
    this.wake();
  }

  accept(message: DirectTrackedMessage): void {
    const { durable } = this.epoch;
    if (durable === undefined) this.admit(message);
    else this.lookUp(message, durable);
  }

  private admit(message: DirectTrackedMessage): void {
    if (this.closeReason === undefined) this.tracker.accept(message);
    else message.reject(this.closeReason.error);
    this.wake();
  }

  /** It stands in one line with what is delivered, whether it is looked up or not. */
  private lookUp(message: DirectTrackedMessage, { gate }: DurableEpoch): void {
    const { messageId, payload } = message;
    const identity = identityOf(keyBytes(this.id), messageId);
    let body: Uint8Array = NO_BODY;
    try {
      // As it is now: the handler may change it, and a repeat of it is compared with what came.
      if (identity !== undefined) body = this.epoch.environment.encodePayload(payload);
    } catch (error) {
      message.reject(error);
      return;
    }
    this.coming++;
    gate.enter(
      identity,
      (ticket, entry) => {
        this.coming--;
        message.mark = new InboxMark(identity, body, 0, ticket, entry);
        if (message.awaited) this.admit(message);
        else this.wake();
      },
      (error) => {
        this.coming--;
        message.reject(error);
        this.wake();
      },
    );
  }

  signal(pending: PendingSignal): void {
    (this.signalQueue ??= new SignalQueue(this)).push(pending);
    this.wake();
  }

  signalGivenUp(): void {
    this.signalsFirst = Math.min(this.signalsFirst, this.signals);
    this.wake();
  }

  /**
   * Ends the data updater in its turn, where no callback runs or is due: one that is idle, or any where too many live.
   */
  deactivate(reason: 'idle' | 'evicted'): void {
    const { activation } = this;
    if (activation.updater === undefined || activation.ending !== undefined || this.running) return;
    if (this.continues || this.awaitsDeadLetter || (reason === 'idle' && !this.idle)) return;
    activation.end(reason);
    this.wake();
  }

  /** The caller of a direct message waits no longer. Returns how far it came. */
  withdraw(message: DirectTrackedMessage): MessageStage {
    return this.tracker.withdraw(message);
  }

  failuresForgotten(): void {
    this.activation.forgetFailures();
  }

  signalsGoOn(): void {
    this.signalsPaused = false;
    if (this.signals > 0) this.wake();
  }

  /** Another queue of the same key runs still, from an earlier epoch: this one waits for its end. */
  waitFor(predecessor: KeyQueue): void {
    this.predecessor = predecessor;
    predecessor.inherits().successor = this;
  }

  begin(): void {
    this.predecessor = undefined;
    this.wake();
  }

  markHandled(handled: Delivery): boolean {
    if (this.closeReason === undefined) return this.tracker.markHandled(handled);
    this.handledTooLate(handled);
    return true;
  }

  handledTooLate(delivery: Delivery): void {
    this.inherits().handledLate = delivery;
  }

  /**
   * The epoch ends. Nothing starts any more; what runs may finish, and then the data updater is terminated. When the
   * shard is lost, what finishes settles nothing.
   */
  close(reason: TerminateReason, error: MississippiError): void {
    this.closeReason = { reason, error };
    this.tracker.clear(error);
    this.signalQueue?.rejectAll(error);
    // A dead letter that waits in the side queue for its next try is the next owner's.
    if (this.tracker.phase !== 'settling') this.followUp = undefined;
    if (this.epoch.ended) {
      this.continuation = undefined;
      this.followUp = undefined;
      this.activation.abort(error);
      this.commits?.abandon();
    }
    this.wake();
  }

  committed(): void {
    if (!this.committing) this.tracker.feed(); // While something is uncommitted nothing is read from the side queue.
    this.wake();
  }

  /**
   * The store refuses what the first effect stands for: it is undone with all that followed it, once the callback that runs on it
   * has ended.
   */
  undo(effects: readonly Effect[], error: Error): void {
    this.refusal = { effects, error };
    if (this.running) this.activation.abort(error);
    else this.applyRefusal();
  }

  private applyRefusal(): void {
    const { effects, error } = this.refusal!;
    this.refusal = undefined;
    this.continuation = undefined;
    this.followUp = undefined;
    this.activation.undone(error);
    // First, since what the policy decides about the culprit is committed in its turn.
    for (const effect of effects) effect.undone(error);
    this.tracker.undo(effects, error);
    if (this.closeReason !== undefined) this.tracker.clear(this.closeReason.error);
  }

  /** The drain took too long: what runs is told to end, and after a grace it is abandoned. */
  insist(error: Error): void {
    this.activation.insist(error);
  }

  rejectSignals(error: Error): void {
    this.signalQueue?.rejectAll(error);
  }

  takeSignal(): PendingSignal {
    if (this.signalsFirst > 0) this.signalsFirst--;
    return this.signalQueue!.take();
  }

  attemptEnded(): void {
    this.signalsFirst = this.signals;
    this.passedOn = false;
    if (this.slot === 'granted') this.giveSlotBack();
    this.lent = false;
  }

  lendSlot(): void {
    if (this.slot !== 'granted') return;
    this.lent = true;
    this.giveSlotBack();
  }

  regainSlot(waits: boolean): Promise<void> | undefined {
    if (!this.lent) return undefined;
    const { callback } = this;
    const { slots } = this.parts;
    if (!waits) {
      this.lent = false;
      this.slot = 'granted';
      slots.overdraw();
      return undefined;
    }
    return slots.regain(() => {
      // It may have been abandoned, or have made the next call already.
      const wanted = this.lent && this.callback === callback && callback?.waits?.pending === 0;
      if (wanted) {
        this.lent = false;
        this.slot = 'granted';
      }
      return wanted;
    });
  }

  slotGranted(): void {
    if (this.running && !this.passedOn) {
      // A signal runs and is to hold no slot. It is passed on once only, so that signals cannot starve the message.
      this.passedOn = true;
      this.giveSlotBack();
      return;
    }
    this.slot = 'granted';
    this.wake();
  }

  /** Takes what steps there are to take, unless a turn runs: then its end does. */
  wake(): void {
    if (this.running || this.stepping) return;
    this.stepping = true;
    let step = nextStep(this);
    if (step !== 'nothing') this.parts.population.wakes(this);
    while (step !== 'nothing') {
      this.take(step);
      if (this.running) break;
      step = nextStep(this);
    }
    this.stepping = false;
    if (!this.running) this.rest();
  }

  private take(step: Step): void {
    switch (step) {
      case 'attempt':
        if (this.slot === 'granted' || this.gotSlot()) this.runTurn(step);
        break;
      case 'signal':
        if (this.parts.pace.request(this)) this.runTurn(step);
        else this.signalsPaused = true;
        break;
      case 'verification':
        this.epoch.verify();
        break;
      case 'endUpdater':
        this.activation.end(this.closeReason!.reason);
        break;
      default:
        this.runTurn(step);
    }
  }

  /**
   * Behind a turn that follows nothing there is nothing yet to put in order: it needs no lane, which would be a fifth of
   * the cost of a message.
   */
  private runTurn(step: Step): void {
    this.turn = step;
    if (this.follows) {
      this.lane ??= this.parts.lanes.take();
      this.lane.run(this);
    } else {
      this.follows = true;
      this.work();
    }
  }

  work(): void {
    runTurn(this.turn, this);
  }

  turnEnded(): void {
    if (this.lane === undefined) this.left();
    else this.lane.end();
  }

  left(): void {
    this.turn = 'nothing';
    this.activation.forgetRun();
    if (this.refusal !== undefined) this.applyRefusal();
    if (this.closeReason !== undefined) this.tracker.clear(this.closeReason.error);
    // A turn that ended in the synchronous part of its start is followed up by the loop that started it.
    this.wake();
  }

  /** Nothing to do at the moment. */
  private rest(): void {
    const { lanes, population } = this.parts;
    this.follows = false;
    if (this.slot === 'granted') this.giveSlotBack();
    if (this.lane !== undefined) {
      lanes.give(this.lane);
      this.lane = undefined;
    }
    if (this.activation.updater === undefined) {
      if (this.tracker.empty && !this.preceded && this.activation.ending === undefined && this.mayLeave) this.leave();
    } else if (this.closeReason === undefined) {
      if (!this.idle) this.makeRoom();
      else if (this.deadline === undefined) population.rests(this);
    }
  }

  /** Whether the store has what is known of the key, and what is asked of it is answered. */
  private get mayLeave(): boolean {
    const { commits } = this;
    const { durable } = this.epoch;
    if (this.coming > 0) return false;
    if (commits === undefined || this.epoch.ended) return true;
    if (commits.pending > 0) return false;
    if (!commits.finished.needed(durable!.gate.oldest)) return true;
    durable!.linger(this);
    return false;
  }

  /** Whether nothing is to be done that is known of. */
  private get idle(): boolean {
    return this.tracker.idle && this.signals === 0;
  }

  /**
   * The key waits, for an attempt slot say, while more live than may. Of those that wait it came last, so its turn is the
   * farthest: it starts afresh then.
   */
  private makeRoom(): void {
    if (this.parts.population.crowded) this.deactivate('evicted');
  }

  /** Nothing of the key is left: forget it, and let the next epoch's queue of the key begin. */
  private leave(): void {
    const { legacy } = this;
    this.legacy = undefined;
    this.parts.left(this);
    legacy?.handOver(this.id, this.epoch);
  }

  private inherits(): Legacy {
    return (this.legacy ??= new Legacy());
  }

  /** Asks for a slot. Where none is free, the key is in line for one. */
  private gotSlot(): boolean {
    this.slot = 'requested';
    if (this.parts.slots.request(this)) this.slot = 'granted';
    return (this.slot as string) === 'granted';
  }

  private giveSlotBack(): void {
    this.slot = 'none';
    this.parts.slots.release();
  }
}
