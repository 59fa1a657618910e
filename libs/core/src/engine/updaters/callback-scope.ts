import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { Caller, CallbackScope } from '../base/caller.js';
import { NEUTRAL } from '../base/neutral-context.js';

/** A callback on its way. */
interface ScopedCallback extends CallbackScope {
  invoke(): unknown;
}

const NO_CHAIN: Caller['chain'] = [];

const storage = new AsyncLocalStorage<CallbackScope>();
let following = false;
/** The callback whose synchronous part runs at this moment. */
let innermost: CallbackScope | undefined;

/**
 * From now on callbacks are followed through whatever they await. That makes every promise of the process more expensive (0.1 µs
 * each on Node 20, where AsyncLocalStorage hooks into promises), so it begins where somebody may ask: when the handler can
 * reach the service by injection, or at the service's first call.
 */
export function followCallbacks(): void {
  following = true;
}

/** @throws whatever the callback throws */
export function runInScope(callback: ScopedCallback): unknown {
  const outer = innermost;
  innermost = callback;
  try {
    return (callback.caller?.context ?? NEUTRAL).runInAsyncScope(enter, undefined, callback);
  } finally {
    innermost = outer;
  }
}

/**
 * The present caller, on whose behalf callbacks are to run. A call counts as made inside a callback at any asynchronous
 * depth: for callbacks that began before anyone asked, only in their synchronous part.
 */
export function presentCaller(): Caller {
  followCallbacks();
  const scope = innermost ?? storage.getStore();
  return {
    context: new AsyncResource('MississippiCall', { requireManualDestroy: true }),
    callback: scope?.running === true ? scope : undefined,
    chain: NO_CHAIN,
  };
}

/** Whether the caller is inside a callback, at any asynchronous depth where callbacks are followed. */
export function insideCallback(): boolean {
  return (innermost ?? storage.getStore())?.running === true;
}

function enter(callback: ScopedCallback): unknown {
  return following ? storage.run(callback, invoke, callback) : callback.invoke();
}

function invoke(callback: ScopedCallback): unknown {
  return callback.invoke();
}
