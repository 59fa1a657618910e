import { Denied } from '../../../enhancers/denied.js';
import { SignalNotHandledError } from '../../../errors/index.js';
import { Reply } from '../../../outcomes.js';
import { RefusedPayload } from '../../../payload/refused-payload.js';
import { asCallersSee } from '../../../signals/carried-error.js';
import { RunContext } from '../../updaters/callback-context.js';
import type { CallbackEnd } from '../../updaters/callback-end.js';
import type { CallbackCause } from '../../updaters/callback-run.js';
import type { DataUpdater } from '../../updaters/data-updater.js';
import type { PendingSignal } from '../pending-signal.js';
import type { TurnKey } from './turn-key.js';

/** One signal, or a request that the data updater be started. */
export function signalTurn(key: TurnKey): void {
  const { activation } = key;
  const pending = key.takeSignal();
  if (pending.mayExpire) pending.checkTime(key.epoch.environment.clock.now());
  if (!pending.awaited) {
    key.turnEnded();
    return;
  }
  const cause = { message: undefined, attempt: 0, caller: pending.caller };
  activation.start(cause, (failure) => {
    const refusal = failure ?? key.closeError; // The epoch may have ended during init.
    if (refusal !== undefined) {
      pending.reject(refusal);
      // One start for all that waited for it: a thousand signals must not make a thousand.
      if (failure !== undefined) key.rejectSignals(failure);
      key.turnEnded();
    } else if (pending.callsHandler && pending.awaited) {
      ask(key, pending, activation.updater!, cause);
    } else {
      pending.answer(activation.reference(activation.updater!));
      key.turnEnded();
    }
  });
}

function ask(key: TurnKey, pending: PendingSignal, updater: DataUpdater, cause: CallbackCause): void {
  const { activation } = key;
  const { handler, handlerName, signals } = activation.callbacks;
  if (handler.handleSignal === undefined) {
    pending.reject(new SignalNotHandledError(handlerName));
    key.turnEnded();
    return;
  }
  let signal: unknown;
  try {
    signal = signals.decode('signal', pending.signal);
  } catch (error) {
    pending.reject(error); // The handler never saw it, so nothing happened to its state.
    key.turnEnded();
    return;
  }
  pending.start();
  activation.run(
    'handleSignal',
    cause,
    (run) => handler.handleSignal!(signal, updater.state, new RunContext(run)),
    (end) => {
      conclude(key, pending, updater, end);
      key.turnEnded();
    },
  );
}

function conclude(key: TurnKey, pending: PendingSignal, updater: DataUpdater, end: CallbackEnd): void {
  if (end.ok) {
    const answer = end.value instanceof Reply ? end.value : undefined;
    updater.keep(answer?.state);
    key.epoch.environment.events.sink?.key('signalled', key);
    answerWith(key, pending, answer === undefined ? end.value : answer.value);
  } else if (end.error instanceof Denied) {
    pending.reject(asCallersSee(end.error.reason)); // The handler never saw it, so nothing happened to its state.
  } else if (end.error instanceof RefusedPayload) {
    pending.reject(end.error.reason); // Here neither.
  } else {
    key.activation.failed(end.error, end.abandoned);
    pending.reject(end.abandoned ? end.error : asCallersSee(end.error));
  }
}

/** The handler has done its work, so its state stands whether the answer can be carried or not. */
function answerWith(key: TurnKey, pending: PendingSignal, value: unknown): void {
  if (!pending.awaited) return;
  try {
    pending.answer(key.activation.callbacks.signals.encode('answer', value));
  } catch (error) {
    pending.reject(error);
  }
}
