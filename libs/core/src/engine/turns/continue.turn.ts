import { describe } from '../../errors/describe.js';
import { InvalidOutcomeError } from '../../errors/index.js';
import { Ok } from '../../outcomes.js';
import type { TurnHost } from './turn-host.js';

/** `handleContinue` after a message that asked for it was settled. */
export function continueTurn(host: TurnHost): void {
  const { home, activation } = host;
  const { handler, logger } = home.engine;
  const argument = host.continuation!.continue;
  host.continuation = undefined;
  const updater = activation.updater!;
  activation.run(
    'handleContinue',
    undefined,
    (run) => {
      if (handler.handleContinue === undefined) throw new Error('the handler has no handleContinue: add the method');
      return handler.handleContinue(argument, updater.state, run.context());
    },
    (end) => {
      if (end.ok && (end.value === undefined || end.value instanceof Ok)) {
        updater.keep(end.value?.state);
      } else {
        const error = end.ok ? new InvalidOutcomeError('handleContinue', end.value, 'nothing or ok(state)') : end.error;
        logger.error(`handleContinue of the key ${activation.keyText()} failed: ${describe(error)}`);
        activation.failed(error, !end.ok && end.abandoned);
      }
      host.turnEnded();
    },
  );
}
