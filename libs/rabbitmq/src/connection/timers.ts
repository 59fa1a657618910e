import type { Clock, Timer } from '@mississippi/core/transport';

/** The promise's own outcome, or a rejection when it takes longer than some milliseconds. */
export async function within<T>(clock: Clock, milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = clock.after(milliseconds, () => reject(new Error(`no answer within ${milliseconds} ms`)));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer?.cancel();
  }
}

/** Resolves after some milliseconds, or at once when it is given up. */
export async function pause(clock: Clock, milliseconds: number, givenUp?: AbortSignal): Promise<void> {
  if (givenUp?.aborted === true) return;
  let timer: Timer | undefined;
  let wake = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    wake = resolve;
    timer = clock.after(milliseconds, resolve);
  });
  givenUp?.addEventListener('abort', wake);
  await over;
  timer?.cancel();
  givenUp?.removeEventListener('abort', wake);
}

/**
 * Calls back again and again, until it is cancelled.
 * @param background whether the process may end meanwhile
 */
export function every(clock: Clock, milliseconds: number, callback: () => void, background = false): Timer {
  let timer = clock.after(milliseconds, tick, background);
  function tick(): void {
    timer = clock.after(milliseconds, tick, background);
    callback();
  }
  return { cancel: () => timer.cancel() };
}
