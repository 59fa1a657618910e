import { Denied } from '../../enhancers/denied.js';
import { describe } from '../../errors/describe.js';
import { InvalidOutcomeError } from '../../errors/index.js';
import { Ack, ack, Discard, discard, Stop, type MessageOutcome } from '../../outcomes.js';
import { RefusedPayload } from '../../payload/refused-payload.js';
import { isThenable } from '../callbacks.js';
import { CallbackRun, type CallbackEnd } from '../callback-run.js';
import type { DataUpdater } from '../data-updater.js';
import { DeliveredMessage, type DirectTrackedMessage, type TrackedMessage } from '../tracked-message.js';
import type { Aftermath, TurnHost } from './turn-host.js';

/** One attempt of the head: start the data updater if need be, read the payload, handle it, settle or retry. */
export function messageTurn(host: TurnHost): void {
  const { home, tracker, activation } = host;
  const message = tracker.beginAttempt();
  if (message instanceof DeliveredMessage && message.handledBefore) {
    if (home.engine.listening) home.emitMessage('skipped', host.id, message, tracker.attempt);
    tracker.settle(ack());
    host.messageEnded();
    host.turnEnded();
    return;
  }
  home.engine.runningAttempts++;
  if (activation.startsAtOnce()) {
    depart(host, message);
    return;
  }
  activation.start(message, (failure) => {
    if (failure === undefined && home.mayStart()) {
      depart(host, message);
      return;
    }
    leftSlot(host);
    if (failure === undefined) tracker.standBack();
    else if (home.ended) tracker.endedLate(undefined, failure);
    else tracker.startFailed(failure);
    host.turnEnded();
  });
}

function depart(host: TurnHost, message: TrackedMessage): void {
  const { home, tracker, activation } = host;
  if (home.engine.listening) home.emitMessage('attemptStarted', host.id, message, tracker.attempt);
  activation.launch(new Attempt(host, message, activation.updater!));
}

/** One run of `handleMessage`. */
class Attempt extends CallbackRun<TurnHost, TrackedMessage> {
  constructor(
    host: TurnHost,
    message: TrackedMessage,
    private readonly updater: DataUpdater,
  ) {
    super('handleMessage', host, message, host.tracker.attempt);
  }

  invoke(): unknown {
    const { place, message } = this;
    const { reader, handler } = place.home.engine;
    const payload =
      message instanceof DeliveredMessage
        ? reader.read(message.delivery.body)
        : reader.check((message as DirectTrackedMessage).payload);
    if (!isThenable(payload)) return handler.handleMessage(payload, this.updater.state, this.context());
    return payload.then((ready) => {
      if (!this.running || place.closeError !== undefined) {
        throw new Error('the attempt ended before its payload was read');
      }
      return handler.handleMessage(ready, this.updater.state, this.context());
    });
  }

  protected ended(end: CallbackEnd): void {
    const { place } = this;
    leftSlot(place);
    conclude(place, this.message, this.updater, end);
    place.turnEnded();
  }
}

/** An attempt has ended: its slot is free before anything else is decided. */
function leftSlot(host: TurnHost): void {
  host.home.engine.runningAttempts--;
  host.messageEnded();
}

function conclude(host: TurnHost, message: TrackedMessage, updater: DataUpdater, end: CallbackEnd): void {
  const { home, tracker } = host;
  if (!end.ok && end.error instanceof RefusedPayload && !home.ended) {
    const { reason } = end.error;
    tracker.setAside(reason.code, reason, undefined, () => undefined);
    return;
  }
  const outcome = asOutcome(end);
  if (outcome === undefined) {
    failed(host, message, end);
    return;
  }
  updater.keep(outcome.state);
  if (home.ended) host.handledLate = tracker.endedLate(outcome, undefined);
  else apply(host, outcome, message);
}

/** What an attempt's end means for the message; `undefined` is a failed attempt. */
function asOutcome(end: CallbackEnd): MessageOutcome<unknown> | undefined {
  if (!end.ok) return end.error instanceof Denied ? discard(end.error) : undefined;
  const { value } = end;
  if (value === undefined) return ack();
  return value instanceof Ack || value instanceof Discard || value instanceof Stop ? value : undefined;
}

function failed({ id, home, tracker, activation }: TurnHost, message: TrackedMessage, end: CallbackEnd): void {
  const error = end.ok
    ? new InvalidOutcomeError('handleMessage', end.value, 'nothing, ack(), discard() or stop()')
    : end.error;
  const abandoned = !end.ok && end.abandoned;
  activation.failed(error, abandoned);
  if (home.ended) {
    tracker.endedLate(undefined, error);
    return;
  }
  if (abandoned && home.engine.listening) home.emitMessage('abandoned', id, message, tracker.attempt, { error });
  tracker.fail(error);
}

function apply(host: TurnHost, outcome: MessageOutcome<unknown>, message: TrackedMessage): void {
  const { id, home, tracker } = host;
  if (outcome instanceof Ack && outcome.continuation === undefined) {
    if (home.engine.listening) home.emitMessage('handled', id, message, tracker.attempt);
    tracker.settle(outcome);
    return;
  }
  const stop = outcome instanceof Stop ? outcome : undefined;
  const aftermath = { continuation: outcome instanceof Stop ? undefined : outcome.continuation, stop };
  if (outcome instanceof Ack || stop?.settlement === 'ack') {
    if (home.engine.listening) home.emitMessage('handled', id, message, tracker.attempt);
    follow(host, aftermath);
    tracker.settle(outcome);
    return;
  }
  const reason = describe(outcome.reason);
  if (home.engine.listening) home.emitMessage('discarded', id, message, tracker.attempt, { reason });
  // Signals need not wait for the dead letter, unless something goes before them.
  if (aftermath.continuation !== undefined || stop !== undefined) host.aftermath = aftermath;
  tracker.setAside('discarded', reason, outcome, () => {
    host.aftermath = undefined;
    follow(host, aftermath);
  });
}

function follow(host: TurnHost, { continuation, stop }: Aftermath): void {
  host.continuation = continuation;
  if (stop !== undefined) host.activation.end(stop.reason);
}
