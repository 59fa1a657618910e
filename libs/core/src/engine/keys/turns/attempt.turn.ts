import { Denied } from '../../../enhancers/denied.js';
import { describe } from '../../../errors/describe.js';
import {
  InvalidOutcomeError,
  MessageIdConflictError,
  NotNowError,
  RemoteSignalError,
  SessionEndedError,
  WaitingCycleError,
} from '../../../errors/index.js';
import { Ack, ack, Discard, discard, Stop, type MessageOutcome } from '../../../outcomes.js';
import { RefusedPayload } from '../../../payload/refused-payload.js';
import { keyTextOf } from '../../base/key-text.js';
import { isThenable } from '../../base/thenable.js';
import { NO_CHANGES, type Changes } from '../../commits/commit-item.js';
import type { InboxVerdict } from '../../commits/finished-ids.js';
import { DeliveredMessage, type DirectTrackedMessage, type TrackedMessage } from '../../messages/tracked-message.js';
import { RunContext } from '../../updaters/callback-context.js';
import { changesOf, keepChanges } from '../../updaters/callback-changes.js';
import type { CallbackEnd } from '../../updaters/callback-end.js';
import { CallbackRun } from '../../updaters/callback-run.js';
import type { DataUpdater } from '../../updaters/data-updater.js';
import { invokeByType, UnclaimedMessage } from './invoke-by-type.js';
import { mayBePaused, PausedMessage, pausedTypeOf, refusePaused } from './paused-message.js';
import type { FollowUp, TurnKey } from './turn-key.js';
import { whenRead } from './when-read.js';

/** A direct message whose id the key has finished. */
const DUPLICATE = Object.freeze(Object.assign(new Ack<never>(undefined, undefined), { duplicate: true }));

/** One attempt at the head: start the data updater if need be, read the payload, handle it, settle or retry. */
export function attemptTurn(key: TurnKey): void {
  const { tracker, activation, epoch } = key;
  const message = tracker.beginAttempt();
  const verdict = verdictOn(key, message);
  if (verdict !== 'new') {
    if (verdict === 'conflict') {
      tracker.refuse('message_id_conflict', new MessageIdConflictError(message.messageId!, keyTextOf(key)));
    } else {
      epoch.environment.events.sink?.message('skipped', key, message, tracker.attempt);
      tracker.handled(message instanceof DeliveredMessage ? ack() : DUPLICATE, 0);
    }
    key.attemptEnded();
    key.turnEnded();
    return;
  }
  const pausedType = pausedTypeOf(key, message);
  if (pausedType !== undefined) {
    tracker.pausedAt(pausedType);
    key.attemptEnded();
    key.turnEnded();
    return;
  }
  if (activation.updater === undefined) startFirst(key, message);
  else handle(key, message);
}

/** Whether the message was finished before, as far as the store or the memory of this process knows. */
function verdictOn({ commits }: TurnKey, message: TrackedMessage): InboxVerdict {
  if (commits !== undefined) return message.mark?.verdict(commits) ?? 'new';
  return message instanceof DeliveredMessage && message.handledBefore ? 'repeat' : 'new';
}

function startFirst(key: TurnKey, message: TrackedMessage): void {
  const { tracker, activation, epoch } = key;
  activation.start({ message, attempt: tracker.attempt, caller: message.caller }, (failure) => {
    if (failure === undefined && epoch.ownership === 'certain') {
      handle(key, message);
      return;
    }
    key.attemptEnded();
    if (failure === undefined) tracker.standBack();
    else if (epoch.ended) tracker.endedLate(undefined, failure);
    else if (isHopeless(message, failure)) tracker.refuse('attempts_exhausted', failure);
    else tracker.startFailed(failure);
    key.turnEnded();
  });
}

function handle(key: TurnKey, message: TrackedMessage): void {
  const { tracker, activation, epoch } = key;
  epoch.environment.events.sink?.message('attemptStarted', key, message, tracker.attempt);
  activation.launch(new Attempt(key, message, activation.updater!));
}

/** One run of `handleMessage`. */
class Attempt extends CallbackRun<TurnKey, TrackedMessage> {
  constructor(
    key: TurnKey,
    message: TrackedMessage,
    private readonly updater: DataUpdater,
  ) {
    super('handleMessage', key, message, key.tracker.attempt, message.caller);
  }

  invoke(): unknown {
    const { key, message } = this;
    const { reader, handler, routes } = key.activation.callbacks;
    if (routes !== undefined) return invokeByType(this, routes, () => this.updater.state);
    if (mayBePaused(key)) return this.invokeUnlessPaused();
    const payload =
      message instanceof DeliveredMessage
        ? reader.read(message.delivery.body)
        : reader.check((message as DirectTrackedMessage).payload);
    if (!isThenable(payload)) return handler.handleMessage(payload, this.updater.state, new RunContext(this));
    return whenRead(this, payload, (ready) => handler.handleMessage(ready, this.updater.state, new RunContext(this)));
  }

  /** The payload may say of which type it is, before it is checked. */
  private async invokeUnlessPaused(): Promise<unknown> {
    const { key, message } = this;
    const { reader, handler } = key.activation.callbacks;
    const decoded = await (message instanceof DeliveredMessage
      ? reader.decode(message.delivery.body)
      : (message as DirectTrackedMessage).payload);
    refusePaused(key, decoded);
    return whenRead(this, Promise.resolve(reader.check(decoded)), (ready) =>
      handler.handleMessage(ready, this.updater.state, new RunContext(this)),
    );
  }

  protected ended(end: CallbackEnd): void {
    const { key } = this;
    key.attemptEnded();
    if (key.commits === undefined) this.conclude(this.checked(end), NO_CHANGES);
    else this.concludeDurably(end);
  }

  /** Without a store what an outcome adds to its commit would be lost in silence. */
  private checked(end: CallbackEnd): CallbackEnd {
    const outcome = end.ok ? asOutcome(end) : undefined;
    if (outcome?.commit === undefined) return end;
    try {
      changesOf(this, this.updater, outcome.commit);
      return end;
    } catch (error) {
      return { ok: false, error, abandoned: false };
    }
  }

  private concludeDurably(end: CallbackEnd): void {
    const { effects, updater } = this;
    const outcome = asOutcome(end);
    if (outcome === undefined) {
      this.fail(end);
      return;
    }
    let changes: Changes;
    try {
      if (outcome.commit?.forget === true && !(outcome instanceof Stop) && outcome.continuation !== undefined) {
        throw new NotNowError('The option continue', 'the option forget ends the data updater');
      }
      updater.keep(outcome.state);
      changes = changesOf(this, updater, outcome.commit);
    } catch (error) {
      this.fail({ ok: false, error, abandoned: false });
      return;
    }
    if (effects?.transaction === undefined) {
      this.conclude(end, changes);
      return;
    }
    effects.transaction.then(
      (transaction) => this.conclude(end, { ...changes, transaction }),
      (error: unknown) => this.fail({ ok: false, error, abandoned: false }),
    );
  }

  /**
   * What follows from a failure waits for what is uncommitted of the key: nothing may be moved past it, and the state is loaded
   * again. A handler's transaction is over before its successor begins; and where the store takes no commit after it, a failed query
   * was no fault of the handler's: it may be read-only, or full.
   */
  private fail(end: CallbackEnd): void {
    const { effects, key } = this;
    const unserved = effects?.unserved === true && key.durable!.instance.link.awayFor !== undefined;
    const settle = (): void => {
      key.commits!.whenSettled(() => {
        if (unserved) this.standBack(end);
        else if (effects?.transaction === undefined) this.conclude(end, NO_CHANGES);
        else key.durable!.probe((well) => (well ? this.conclude(end, NO_CHANGES) : this.standBack(end)));
      });
    };
    if (effects?.transaction === undefined) settle();
    else void effects.abandon().then(settle);
  }

  /** It waited for a store that does not answer, which is no failure of its own. Its data updater is loaded again, once it does. */
  private standBack(end: CallbackEnd): void {
    const { key } = this;
    if (end.ok || key.epoch.ended) {
      this.conclude(end, NO_CHANGES);
      return;
    }
    key.activation.failed(end.error, end.abandoned);
    key.tracker.standBack();
    key.turnEnded();
  }

  private conclude(end: CallbackEnd, changes: Changes): void {
    const { key, message, updater } = this;
    if (key.undone !== undefined && !key.epoch.ended) {
      void changes.transaction?.abandon();
      key.tracker.standBack(); // It ran on what is not to be.
    } else {
      if (key.epoch.ended) void changes.transaction?.abandon();
      else keepChanges(updater, changes);
      conclude(key, message, updater, end, changes);
    }
    key.turnEnded();
  }
}

function conclude(
  key: TurnKey,
  message: TrackedMessage,
  updater: DataUpdater,
  end: CallbackEnd,
  changes: Changes,
): void {
  const { tracker, epoch } = key;
  if (!end.ok && end.error instanceof RefusedPayload && !epoch.ended) {
    const { reason } = end.error;
    tracker.refuse(reason.code, reason);
    return;
  }
  if (!end.ok && end.error instanceof UnclaimedMessage && !epoch.ended) {
    tracker.unclaimed(end.error.reason);
    return;
  }
  if (!end.ok && end.error instanceof PausedMessage && !epoch.ended) {
    tracker.pausedAt(end.error.type);
    return;
  }
  const outcome = asOutcome(end);
  if (outcome === undefined) {
    failed(key, message, end);
    return;
  }
  updater.keep(outcome.state);
  if (!epoch.ended) {
    apply(key, outcome, message, changes);
    return;
  }
  const handled = tracker.endedLate(outcome, new SessionEndedError(epoch.shard));
  if (handled !== undefined) key.handledTooLate(handled);
}

/** What an attempt's end means for the message; `undefined` is a failed attempt. */
function asOutcome(end: CallbackEnd): MessageOutcome<unknown> | undefined {
  if (!end.ok) return end.error instanceof Denied ? discard(end.error) : undefined;
  const { value } = end;
  if (value === undefined) return ack();
  return value instanceof Ack || value instanceof Discard || value instanceof Stop ? value : undefined;
}

function failed(key: TurnKey, message: TrackedMessage, end: CallbackEnd): void {
  const { epoch, tracker, activation } = key;
  const error = end.ok
    ? new InvalidOutcomeError('handleMessage', end.value, 'nothing, ack(), discard() or stop()')
    : (end.error ?? new Error(`the handler threw ${String(end.error)}: throw an Error that says why`));
  const abandoned = !end.ok && end.abandoned;
  activation.failed(error, abandoned);
  if (epoch.ended) {
    tracker.endedLate(undefined, error);
    return;
  }
  if (abandoned) epoch.environment.events.sink?.message('abandoned', key, message, tracker.attempt, { error });
  if (isHopeless(message, error)) tracker.refuse('attempts_exhausted', error);
  else tracker.fail(error);
}

/** Whether the message failed because of the callback that waits for it: then every attempt will, for as long as it waits. */
function isHopeless(message: TrackedMessage, error: unknown): boolean {
  if (message instanceof DeliveredMessage || !(error instanceof Error)) return false;
  try {
    return isCircle(error) || isCircle(error.cause);
  } catch {
    return false; // A getter of it threw: it is none of ours.
  }
}

/** What the handler of another key was refused with arrives by its code alone. */
function isCircle(error: unknown): boolean {
  return error instanceof WaitingCycleError || (error instanceof RemoteSignalError && error.code === 'waiting_cycle');
}

function apply(key: TurnKey, outcome: MessageOutcome<unknown>, message: TrackedMessage, changes: Changes): void {
  const { epoch, tracker } = key;
  const { attempt } = tracker;
  const events = epoch.environment.events.sink;
  if (outcome.commit?.forget === true) key.activation.end('forgotten');
  if (outcome instanceof Ack && outcome.continuation === undefined) {
    // What is committed is told when it is.
    if (key.commits === undefined) events?.message('handled', key, message, attempt);
    tracker.handled(outcome, attempt, changes);
    return;
  }
  const stop = outcome instanceof Stop ? outcome : undefined;
  const continuation = outcome instanceof Stop ? undefined : outcome.continuation;
  const followUp = { continuation, stop, trace: key.activation.callback?.trace };
  if (outcome instanceof Ack || stop?.settlement === 'ack') {
    if (key.commits === undefined) events?.message('handled', key, message, attempt);
    follow(key, followUp);
    tracker.handled(outcome, attempt, changes);
    return;
  }
  const reason = describe(outcome.reason);
  if (key.commits === undefined) events?.message('discarded', key, message, attempt, { reason });
  // Signals need not wait for the dead letter, unless something goes before them.
  if (followUp.continuation !== undefined || stop !== undefined) key.followUp = followUp;
  const certain = (): void => {
    key.followUp = undefined;
    follow(key, followUp);
  };
  tracker.refuse('discarded', reason, outcome, certain, changes);
}

function follow(key: TurnKey, { continuation, stop, trace }: FollowUp): void {
  key.continuation = continuation;
  key.continuationTrace = trace;
  if (stop !== undefined) key.activation.end(stop.reason);
}
