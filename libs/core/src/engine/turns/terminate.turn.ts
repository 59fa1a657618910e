import { describe } from '../../errors/describe.js';
import type { TurnHost } from './turn-host.js';

/** The end of a data updater: `terminate`, then its state is dropped. */
export function terminateTurn(host: TurnHost): void {
  const { home, activation } = host;
  const { handler, logger } = home.engine;
  const { reason } = activation.ending!;
  const updater = activation.updater!;
  if (handler.terminate === undefined) {
    activation.drop(reason);
    host.turnEnded();
    return;
  }
  activation.run(
    'terminate',
    undefined,
    (run) => handler.terminate!(reason, updater.state, run.context()),
    (end) => {
      if (!end.ok) logger.error(`terminate of the key ${activation.keyText()} failed: ${describe(end.error)}`);
      activation.drop(reason);
      host.turnEnded();
    },
  );
}
