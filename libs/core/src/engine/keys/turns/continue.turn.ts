import { describe } from '../../../errors/describe.js';
import { InvalidOutcomeError } from '../../../errors/index.js';
import { Ok } from '../../../outcomes.js';
import { keyFields, keyTextOf } from '../../base/key-text.js';
import { RunContext } from '../../updaters/callback-context.js';
import { UNPROMPTED } from '../../updaters/callback-run.js';
import type { TurnKey } from './turn-key.js';

/** `handleContinue` after a message that asked for it was settled. */
export function continueTurn(key: TurnKey): void {
  const { activation, epoch } = key;
  const { handler } = activation;
  const argument = key.continuation!.continue;
  key.continuation = undefined;
  const updater = activation.updater!;
  activation.run(
    'handleContinue',
    UNPROMPTED,
    (run) => {
      if (handler.handleContinue === undefined) throw new Error('the handler has no handleContinue: add the method');
      return handler.handleContinue(argument, updater.state, new RunContext(run));
    },
    (end) => {
      if (end.ok && (end.value === undefined || end.value instanceof Ok)) {
        updater.keep(end.value?.state);
      } else {
        const error = end.ok ? new InvalidOutcomeError('handleContinue', end.value, 'nothing or ok(state)') : end.error;
        epoch.environment.log.error(
          `handleContinue of the key ${keyTextOf(key)} failed: ${describe(error)}`,
          { event: 'callbackFailed', ...keyFields(key), callback: 'handleContinue' },
          error,
        );
        activation.failed(error, !end.ok && end.abandoned);
      }
      key.turnEnded();
    },
  );
}
