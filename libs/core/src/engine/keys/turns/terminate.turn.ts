import { describe } from '../../../errors/describe.js';
import { keyFields, keyTextOf } from '../../base/key-text.js';
import { RunContext } from '../../updaters/callback-context.js';
import { UNPROMPTED } from '../../updaters/callback-run.js';
import type { TurnKey } from './turn-key.js';

/** The end of a data updater: `terminate`, then its state is dropped. */
export function terminateTurn(key: TurnKey): void {
  const { activation, epoch } = key;
  const { handler } = activation;
  const { reason } = activation.ending!;
  const updater = activation.updater!;
  if (handler.terminate === undefined) {
    activation.drop(reason);
    key.turnEnded();
    return;
  }
  activation.run(
    'terminate',
    UNPROMPTED,
    (run) => handler.terminate!(reason, updater.state, new RunContext(run)),
    (end) => {
      if (!end.ok) {
        epoch.environment.log.error(
          `terminate of the key ${keyTextOf(key)} failed: ${describe(end.error)}`,
          { event: 'callbackFailed', ...keyFields(key), callback: 'terminate' },
          end.error,
        );
      }
      activation.drop(reason);
      key.turnEnded();
    },
  );
}
