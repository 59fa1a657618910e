import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { keyId } from '../../keys/sharding-key.js';
import type { Environment } from '../base/environment.js';
import { NEUTRAL } from '../base/neutral-context.js';

/** A callback that runs, as seen from the calls that are made inside it. */
export interface CallbackScope {
  readonly keyId: string;
  /** Tells instances of the module apart. */
  readonly environment: Environment;
  /** `false` once the callback has ended: what it left running may call its key. */
  readonly running: boolean;
}

/** A callback on its way. */
interface ScopedCallback extends CallbackScope {
  /** The context of whoever asked for it and waits; `undefined` where nobody does. */
  readonly caller: AsyncResource | undefined;
  invoke(): unknown;
}

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
    return (callback.caller ?? NEUTRAL).runInAsyncScope(enter, undefined, callback);
  } finally {
    innermost = outer;
  }
}

/** The context of the present caller, for a callback that runs on its behalf. */
export function callersContext(): AsyncResource {
  return new AsyncResource('MississippiCall', { requireManualDestroy: true });
}

function enter(callback: ScopedCallback): unknown {
  return following ? storage.run(callback, invoke, callback) : callback.invoke();
}

function invoke(callback: ScopedCallback): unknown {
  return callback.invoke();
}

/**
 * Whether the caller is inside a running callback of this key, at any asynchronous depth: for callbacks that began before
 * anyone asked, only in their synchronous part.
 */
export function insideCallbackOf(environment: Environment, key: Uint8Array): boolean {
  const scope = innermost ?? storage.getStore();
  return scope !== undefined && scope.running && scope.environment === environment && scope.keyId === keyId(key);
}
