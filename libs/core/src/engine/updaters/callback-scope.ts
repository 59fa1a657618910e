import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { CallbackOperation, Trace } from '../../telemetry/telemetry.interface.js';
import type { Caller, CallbackScope } from '../base/caller.js';
import type { Environment } from '../base/environment.js';
import { NEUTRAL } from '../base/neutral-context.js';
import { promised } from './promised.js';

/** A callback on its way. */
interface ScopedCallback extends CallbackScope {
  /** What telemetry hears of it, where it is to hear of it. */
  readonly operation: CallbackOperation | undefined;
  trace: Trace | undefined;
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

/**
 * Calls the callback where it belongs.
 * @returns what it answers: a native promise where it takes its time
 * @throws whatever the callback throws
 */
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

/**
 * Whether the caller is inside a callback of this instance, or of another one for which that waits: at any asynchronous depth,
 * for callbacks that began before anyone asked only in their synchronous part.
 */
export function insideCallbackOf(environment: Environment): boolean {
  followCallbacks();
  let scope = innermost ?? storage.getStore();
  while (scope?.running === true && scope.environment !== environment) scope = scope.caller?.callback;
  return scope?.running === true;
}

function enter(callback: ScopedCallback): unknown {
  const { telemetry } = callback.environment;
  if (telemetry?.active === true) {
    const { operation } = callback;
    callback.trace = operation && telemetry.begin(operation);
  }
  // In the context of its caller, and inside of it in its own.
  return callback.trace === undefined ? follow(callback) : callback.trace.run(() => follow(callback));
}

function follow(callback: ScopedCallback): unknown {
  return following ? storage.run(callback, invoke, callback) : invoke(callback);
}

/** What is lazy, an Observable or a foreign thenable, begins its work here too. */
function invoke(callback: ScopedCallback): unknown {
  return promised(callback.invoke());
}
