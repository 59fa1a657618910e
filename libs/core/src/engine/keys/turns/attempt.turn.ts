import { Denied } from '../../../enhancers/denied.js';
import { describe } from '../../../errors/describe.js';
import { InvalidOutcomeError, RemoteSignalError, WaitingCycleError } from '../../../errors/index.js';
import { Ack, ack, Discard, discard, Stop, type MessageOutcome } from '../../../outcomes.js';
import { RefusedPayload } from '../../../payload/refused-payload.js';
import { isThenable } from '../../base/thenable.js';
import { DeliveredMessage, type DirectTrackedMessage, type TrackedMessage } from '../../messages/tracked-message.js';
import { RunContext } from '../../updaters/callback-context.js';
import type { CallbackEnd } from '../../updaters/callback-end.js';
import { CallbackRun } from '../../updaters/callback-run.js';
import type { DataUpdater } from '../../updaters/data-updater.js';
import type { FollowUp, TurnKey } from './turn-key.js';

/** One attempt at the head: start the data updater if need be, read the payload, handle it, settle or retry. */
export function attemptTurn(key: TurnKey): void {
  const { tracker, activation, epoch } = key;
  const message = tracker.beginAttempt();
  if (message instanceof DeliveredMessage && message.handledBefore) {
    epoch.environment.events.sink?.message('skipped', key, message, tracker.attempt);
    tracker.handled(ack());
    key.attemptEnded();
    key.turnEnded();
    return;
  }
  if (activation.updater === undefined) startFirst(key, message);
  else handle(key, message);
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
    const { reader, handler } = key.activation.callbacks;
    const payload =
      message instanceof DeliveredMessage
        ? reader.read(message.delivery.body)
        : reader.check((message as DirectTrackedMessage).payload);
    if (!isThenable(payload)) return handler.handleMessage(payload, this.updater.state, new RunContext(this));
    // The `then` of a foreign thenable may return anything.
    return Promise.resolve(payload).then((ready) => {
      if (!this.running || key.closeError !== undefined) {
        throw new Error('the attempt ended before its payload was read');
      }
      return handler.handleMessage(ready, this.updater.state, new RunContext(this));
    });
  }

  protected ended(end: CallbackEnd): void {
    const { key } = this;
    key.attemptEnded();
    conclude(key, this.message, this.updater, end);
    key.turnEnded();
  }
}

function conclude(key: TurnKey, message: TrackedMessage, updater: DataUpdater, end: CallbackEnd): void {
  const { tracker, epoch } = key;
  if (!end.ok && end.error instanceof RefusedPayload && !epoch.ended) {
    const { reason } = end.error;
    tracker.refuse(reason.code, reason);
    return;
  }
  const outcome = asOutcome(end);
  if (outcome === undefined) {
    failed(key, message, end);
    return;
  }
  updater.keep(outcome.state);
  if (!epoch.ended) {
    apply(key, outcome, message);
    return;
  }
  const handled = tracker.endedLate(outcome, undefined);
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

function apply(key: TurnKey, outcome: MessageOutcome<unknown>, message: TrackedMessage): void {
  const { epoch, tracker } = key;
  const events = epoch.environment.events.sink;
  if (outcome instanceof Ack && outcome.continuation === undefined) {
    events?.message('handled', key, message, tracker.attempt);
    tracker.handled(outcome);
    return;
  }
  const stop = outcome instanceof Stop ? outcome : undefined;
  const followUp = { continuation: outcome instanceof Stop ? undefined : outcome.continuation, stop };
  if (outcome instanceof Ack || stop?.settlement === 'ack') {
    events?.message('handled', key, message, tracker.attempt);
    follow(key, followUp);
    tracker.handled(outcome);
    return;
  }
  const reason = describe(outcome.reason);
  events?.message('discarded', key, message, tracker.attempt, { reason });
  // Signals need not wait for the dead letter, unless something goes before them.
  if (followUp.continuation !== undefined || stop !== undefined) key.followUp = followUp;
  tracker.refuse('discarded', reason, outcome, () => {
    key.followUp = undefined;
    follow(key, followUp);
  });
}

function follow(key: TurnKey, { continuation, stop }: FollowUp): void {
  key.continuation = continuation;
  if (stop !== undefined) key.activation.end(stop.reason);
}
