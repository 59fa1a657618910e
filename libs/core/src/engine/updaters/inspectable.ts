import { describe } from '../../errors/describe.js';
import type { CallbackEnd } from './callback-end.js';

/**
 * The end of a callback as it can be looked at: a value of which nobody can ask what it is, such as a revoked proxy, would break
 * the turn that asks, and with it the key.
 */
export function inspectable(end: CallbackEnd): CallbackEnd {
  if (end.ok) {
    return tellsWhatItIs(end.value)
      ? end
      : { ok: false, error: new TypeError(`the callback returned ${describe(end.value)}`), abandoned: false };
  }
  return tellsWhatItIs(end.error) ? end : { ...end, error: new Error(describe(end.error)) };
}

function tellsWhatItIs(value: unknown): boolean {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return true;
  try {
    void (value instanceof Error);
    return true;
  } catch {
    return false;
  }
}
