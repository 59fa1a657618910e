import type { CallbackRun } from '../../updaters/callback-run.js';
import type { TurnKey } from './turn-key.js';

/** Goes on with a payload that is promised, unless its attempt has ended meanwhile. */
export function whenRead(
  run: CallbackRun<TurnKey>,
  payload: PromiseLike<unknown>,
  goOn: (payload: unknown) => unknown,
): Promise<unknown> {
  // The `then` of a foreign thenable may return anything.
  return Promise.resolve(payload).then((ready) => {
    if (!run.running || run.key.closeError !== undefined) {
      throw new Error('the attempt ended before its payload was read');
    }
    return goOn(ready);
  });
}
