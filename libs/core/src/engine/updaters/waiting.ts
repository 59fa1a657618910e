import { randomUUID } from 'node:crypto';
import { MessageTimeoutError, SignalTimeoutError } from '../../errors/index.js';
import { keyBytes } from '../../keys/sharding-key.js';
import type { WaitingCallback } from '../../transport/transport.interface.js';
import type { AwaitedKey, Caller, CallbackScope, Waits } from '../base/caller.js';

const PROCESS = randomUUID();
let callbacks = 0;

/** What one callback waits for. */
export class PendingCalls implements Waits {
  readonly id = `${PROCESS}/${++callbacks}`;
  readonly keys: AwaitedKey[] = [];
  pending = 0;

  begins(key: AwaitedKey | undefined): void {
    this.pending++;
    if (key !== undefined) this.keys.push(key);
  }

  /** Returns whether it was the last one. */
  ended(key: AwaitedKey | undefined): boolean {
    const index = key === undefined ? -1 : this.keys.indexOf(key);
    if (index >= 0) this.keys.splice(index, 1);
    return --this.pending === 0;
  }
}

/** The callbacks that wait for what `caller` asks, one for the other, the outermost first. */
export function chainOf(caller: Caller): WaitingCallback[] {
  const chain: WaitingCallback[] = [];
  let at: Caller | undefined = caller;
  while (at !== undefined) {
    const callback: CallbackScope | undefined = at.callback;
    if (callback?.running !== true) {
      chain.unshift(...at.chain);
      break;
    }
    // One that waits for nothing yet is the caller's own, and is to wait.
    chain.unshift({ id: callback.waits?.id ?? '', key: nameOf(callback) });
    at = callback.caller;
  }
  return chain;
}

/**
 * Whether `caller` would wait for itself if it waited for the key: the key's callback waits, directly or through others,
 * for the callback that calls.
 * @returns the keys of the circle, readable, the first one last again
 */
export function circleThrough(caller: Caller, target: AwaitedKey): string[] | undefined {
  const first = target.callback;
  if (first?.running !== true || (caller.callback === undefined && caller.chain.length === 0)) return undefined;
  const chain = chainOf(caller);
  const reachedFrom = new Map<CallbackScope, CallbackScope | undefined>([[first, undefined]]);
  const toVisit = [first];
  for (let callback = toVisit.pop(); callback !== undefined; callback = toVisit.pop()) {
    const closes = callback === caller.callback ? chain.length - 1 : indexIn(chain, callback);
    if (closes >= 0) return [...chain.slice(closes).map(({ key }) => key), ...pathTo(callback, reachedFrom)];
    for (const { callback: next } of callback.waits?.keys ?? []) {
      if (next?.running !== true || reachedFrom.has(next)) continue;
      reachedFrom.set(next, callback);
      toVisit.push(next);
    }
  }
  return undefined;
}

function indexIn(chain: readonly WaitingCallback[], { waits }: CallbackScope): number {
  return waits === undefined ? -1 : chain.findIndex(({ id }) => id === waits.id);
}

function pathTo(callback: CallbackScope, reachedFrom: ReadonlyMap<CallbackScope, CallbackScope | undefined>): string[] {
  const path: string[] = [];
  for (let at: CallbackScope | undefined = callback; at !== undefined; at = reachedFrom.get(at)) {
    path.unshift(nameOf(at));
  }
  return path;
}

function nameOf({ keyId, environment }: CallbackScope): string {
  return environment.keyText(keyBytes(keyId));
}

/**
 * Makes a call to another key on behalf of `caller`. While it waits, an attempt lends its slot; it has one again before
 * the promise settles. A time-out does not wait for that.
 * @param target left out where the key lives in another process
 */
export async function whileWaiting<T>(
  { callback }: Caller,
  target: AwaitedKey | undefined,
  call: () => Promise<T>,
): Promise<T> {
  if (callback === undefined) return call();
  callback.waitBegins(target);
  let inTime = true;
  try {
    const answer = call();
    callback.lendSlot();
    return await answer;
  } catch (error) {
    inTime = !(error instanceof SignalTimeoutError || error instanceof MessageTimeoutError);
    throw error;
  } finally {
    await callback.waitEnded(target, inTime);
  }
}
