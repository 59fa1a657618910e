import { SignalTimeoutError } from '../../errors/index.js';
import type { SignalRequest } from '../../signals/signal-envelope.js';
import type { Caller } from '../base/caller.js';
import { keyTextOf } from '../base/key-text.js';
import type { KeyQueue } from './key-queue.js';
import { PendingSignal } from './pending-signal.js';

/**
 * Signals a key and resolves with the handler's answer, encoded.
 * @param timeout milliseconds
 * @param onStart called when the handler is about to see the signal
 */
export function signalKey(
  queue: KeyQueue,
  { name, value }: SignalRequest,
  timeout: number,
  onStart: () => void,
  caller: Caller,
): Promise<Uint8Array | undefined> {
  const { clock } = queue.epoch.environment;
  return new Promise((resolve, reject) => {
    const pending = new PendingSignal(
      'signal',
      value,
      caller,
      resolve as (answer: unknown) => void,
      reject,
      onStart,
      name,
    );
    if (timeout !== Infinity) {
      const expire = (): void => pending.reject(new SignalTimeoutError(keyTextOf(queue), timeout, pending.started));
      pending.expires({ at: clock.now() + timeout, timer: clock.after(timeout, expire), expire });
    }
    queue.signal(pending);
  });
}
