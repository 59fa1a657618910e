import { Denied } from '../../../enhancers/denied.js';
import { SignalOutcomeUnknownError, StateNotCommittedError } from '../../../errors/index.js';
import { Reply } from '../../../outcomes.js';
import { RefusedPayload } from '../../../payload/refused-payload.js';
import { asCallersSee } from '../../../signals/carried-error.js';
import type { CalledMethod } from '../../../methods/handler-methods.js';
import { keyBytes } from '../../../keys/sharding-key.js';
import { keyTextOf } from '../../base/key-text.js';
import { NO_CHANGES } from '../../commits/commit-item.js';
import { RunContext } from '../../updaters/callback-context.js';
import type { CallbackEnd } from '../../updaters/callback-end.js';
import type { CallbackCause, CallbackRun } from '../../updaters/callback-run.js';
import type { DataUpdater } from '../../updaters/data-updater.js';
import { PendingEdit } from '../pending-edit.js';
import type { PendingSignal } from '../pending-signal.js';
import { afterCommits, commitChanges } from './commit-changes.js';
import { editTurn } from './edit.turn.js';
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
  if (pending instanceof PendingEdit) {
    editTurn(key, pending);
    return;
  }
  if (pending.purpose === 'forget') {
    forget(key, pending);
    return;
  }
  if (pending.purpose === 'deactivate') {
    deactivate(key, pending);
    return;
  }
  const cause = { message: undefined, attempt: 0, caller: pending.caller, signalName: pending.name };
  activation.start(cause, (failure) => {
    const refusal = failure ?? key.closeError; // The epoch may have ended during init.
    if (refusal !== undefined) {
      pending.reject(refusal);
      // One start for all that waited for it: a thousand signals must not make a thousand.
      if (failure !== undefined) key.rejectSignals(failure);
      key.turnEnded();
    } else if (pending.purpose === 'signal' && pending.awaited) {
      ask(key, pending, activation.updater!, cause);
    } else {
      pending.answer(activation.reference(activation.updater!));
      key.turnEnded();
    }
  });
}

/** The key is forgotten once all before it is committed; its next message or signal starts afresh. */
function forget(key: TurnKey, pending: PendingSignal): void {
  const state = { key: keyBytes(key.id), state: undefined, ttl: undefined };
  if (key.activation.updater !== undefined) key.activation.end('forgotten');
  key.commits!.add(
    { ...NO_CHANGES, state },
    {
      committed: () => pending.answer(undefined),
      abandoned: () => pending.reject(new SignalOutcomeUnknownError(keyTextOf(key))),
      undone: (error) => pending.reject(new StateNotCommittedError(keyTextOf(key), error)),
    },
  );
  key.turnEnded();
}

/** The next turn terminates it. */
function deactivate(key: TurnKey, pending: PendingSignal): void {
  if (key.activation.updater !== undefined) key.activation.end('operator');
  pending.answer(undefined);
  key.turnEnded();
}

function ask(key: TurnKey, pending: PendingSignal, updater: DataUpdater, cause: CallbackCause): void {
  const { activation } = key;
  const { callbacks } = activation;
  let answer: CalledMethod;
  let signal: unknown;
  try {
    answer = callbacks.answering(pending.name);
    signal = callbacks.signals.decode('signal', pending.signal);
  } catch (error) {
    pending.reject(error); // The handler never saw it, so nothing happened to its state.
    key.turnEnded();
    return;
  }
  pending.start();
  let run: CallbackRun;
  activation.run(
    'handleSignal',
    cause,
    (begun) => {
      run = begun;
      return answer(signal, updater.state, new RunContext(begun));
    },
    (end) => {
      conclude(key, pending, updater, run, end);
      key.turnEnded();
    },
  );
}

function conclude(
  key: TurnKey,
  pending: PendingSignal,
  updater: DataUpdater,
  run: CallbackRun,
  end: CallbackEnd,
): void {
  if (end.ok) {
    const answer = end.value instanceof Reply ? end.value : undefined;
    updater.keep(answer?.state);
    const send = answerFor(key, answer === undefined ? end.value : answer.value);
    try {
      commitChanges(key, run, updater, answer?.commit, {
        committed: () => {
          key.epoch.environment.events.sink?.key('signalled', key);
          send(pending);
        },
        abandoned: () => pending.reject(new SignalOutcomeUnknownError(keyTextOf(key))),
        undone: (error) => pending.reject(new StateNotCommittedError(keyTextOf(key), error)),
      });
    } catch (error) {
      key.activation.failed(error, false);
      pending.reject(error);
    }
  } else if (end.error instanceof Denied) {
    pending.reject(asCallersSee(end.error.reason)); // The handler never saw it, so nothing happened to its state.
  } else if (end.error instanceof RefusedPayload) {
    pending.reject(end.error.reason); // Here neither.
  } else {
    const { error, abandoned } = end;
    afterCommits(key, {
      committed: () => pending.reject(abandoned ? error : asCallersSee(error)),
      abandoned: () => pending.reject(new SignalOutcomeUnknownError(keyTextOf(key))),
      undone: (cause) => pending.reject(new StateNotCommittedError(keyTextOf(key), cause)),
    });
    key.activation.failed(error, abandoned);
  }
}

/**
 * The answer as it is now. The handler has done its work, so its state stands whether the answer can be carried or not.
 */
function answerFor(key: TurnKey, value: unknown): (pending: PendingSignal) => void {
  try {
    const answer = key.activation.callbacks.signals.encode('answer', value);
    return (pending) => pending.answer(answer);
  } catch (error) {
    return (pending) => pending.reject(error);
  }
}
