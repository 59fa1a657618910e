import { AsyncLocalStorage } from 'node:async_hooks';

/** A callback that runs, as seen from the calls that are made inside it. */
export interface CallbackScope {
  readonly keyId: string;
  /** Tells instances of the module apart. */
  readonly owner: object;
  /** `false` once the callback has ended: what it left running may call its key. */
  readonly running: boolean;
}

const storage = new AsyncLocalStorage<CallbackScope>();

export function runInScope<T>(scope: CallbackScope, callback: () => T): T {
  return storage.run(scope, callback);
}

/** Whether the caller is, at any asynchronous depth, inside a running callback of this key. */
export function insideCallbackOf(owner: object, keyId: string): boolean {
  const scope = storage.getStore();
  return scope !== undefined && scope.running && scope.owner === owner && scope.keyId === keyId;
}
