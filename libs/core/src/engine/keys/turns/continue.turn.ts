import { describe } from '../../../errors/describe.js';
import { InvalidOutcomeError } from '../../../errors/index.js';
import { Ok } from '../../../outcomes.js';
import { keyFields, keyTextOf } from '../../base/key-text.js';
import { RunContext } from '../../updaters/callback-context.js';
import { UNPROMPTED, type CallbackRun } from '../../updaters/callback-run.js';
import type { DataUpdater } from '../../updaters/data-updater.js';
import type { CallbackEnd } from '../../updaters/callback-end.js';
import { commitChanges } from './commit-changes.js';
import type { TurnKey } from './turn-key.js';

/** `handleContinue` after a message that asked for it was settled. */
export function continueTurn(key: TurnKey): void {
  const { activation, epoch } = key;
  const { handler } = activation;
  const argument = key.continuation!.continue;
  const cause = { ...UNPROMPTED, parent: key.continuationTrace };
  key.continuation = undefined;
  key.continuationTrace = undefined;
  const updater = activation.updater!;
  let run: CallbackRun;
  activation.run(
    'handleContinue',
    cause,
    (begun) => {
      run = begun;
      if (handler.handleContinue === undefined) throw new Error('the handler has no handleContinue: add the method');
      return handler.handleContinue(argument, updater.state, new RunContext(begun));
    },
    (end) => {
      const failure = outcomeOf(key, updater, run, end);
      if (failure !== undefined) {
        const { error } = failure;
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

/** Keeps what it changed. Returns what failed, if anything did. */
function outcomeOf(
  key: TurnKey,
  updater: DataUpdater,
  run: CallbackRun,
  end: CallbackEnd,
): { readonly error: unknown } | undefined {
  if (!end.ok) return end;
  const { value } = end;
  if (value !== undefined && !(value instanceof Ok)) {
    return { error: new InvalidOutcomeError('handleContinue', value, 'nothing or ok(state)') };
  }
  try {
    updater.keep(value?.state);
    commitChanges(key, run, updater, value?.commit);
    return undefined;
  } catch (error) {
    return { error };
  }
}
