import { AsyncResource } from 'node:async_hooks';

/**
 * The context of what nobody waits for. Without it a callback would run in the context of whatever woke it: another
 * key's message, or a request that published one.
 */
export const NEUTRAL = new AsyncResource('MississippiCallback', { requireManualDestroy: true });

/** Runs something that nobody waits for, such as telling an event. */
export function runNeutrally(work: () => void): void {
  NEUTRAL.runInAsyncScope(work);
}
