import { Denied } from '../../enhancers/denied.js';
import { SignalNotHandledError } from '../../errors/index.js';
import { Reply } from '../../outcomes.js';
import { RefusedPayload } from '../../payload/refused-payload.js';
import type { CallbackEnd } from '../callback-run.js';
import type { DataUpdater } from '../data-updater.js';
import type { PendingSignal } from '../pending-signal.js';
import type { TurnHost } from './turn-host.js';

/** One signal, or the wish that the data updater be started. */
export function signalTurn(host: TurnHost): void {
  const { activation } = host;
  const pending = host.takeSignal();
  activation.start(undefined, (failure) => {
    const refusal = failure ?? host.closeError; // The epoch may have ended during init.
    if (refusal !== undefined) {
      pending.reject(refusal);
      host.turnEnded();
    } else if (pending.callsHandler && pending.awaited) {
      ask(host, pending, activation.updater!);
    } else {
      pending.answer(activation.reference(activation.updater!));
      host.turnEnded();
    }
  });
}

function ask(host: TurnHost, pending: PendingSignal, updater: DataUpdater): void {
  const { handler, handlerName } = host.home.engine;
  if (handler.handleSignal === undefined) {
    pending.reject(new SignalNotHandledError(handlerName));
    host.turnEnded();
    return;
  }
  pending.start();
  host.activation.run(
    'handleSignal',
    undefined,
    (run) => handler.handleSignal!(pending.signal, updater.state, run.context()),
    (end) => {
      conclude(host, pending, updater, end);
      host.turnEnded();
    },
  );
}

function conclude(
  { id, home, activation }: TurnHost,
  pending: PendingSignal,
  updater: DataUpdater,
  end: CallbackEnd,
): void {
  if (end.ok) {
    const answer = end.value instanceof Reply ? end.value : undefined;
    updater.keep(answer?.state);
    if (home.engine.listening) home.emitKey('signalled', id);
    pending.answer(answer === undefined ? end.value : answer.value);
  } else if (end.error instanceof Denied || end.error instanceof RefusedPayload) {
    pending.reject(end.error.reason); // The handler never saw it, so nothing happened to its state.
  } else {
    activation.failed(end.error, end.abandoned);
    pending.reject(end.error);
  }
}
