import type { AsyncResource } from 'node:async_hooks';
import type { TraceHeaders } from '../../telemetry/telemetry.interface.js';
import type { WaitingCallback } from '../../transport/transport.interface.js';
import type { Environment } from './environment.js';

/** A key as a callback that waits for it sees it. */
export interface AwaitedKey {
  /** What runs of the key at this moment. */
  readonly callback: CallbackScope | undefined;
}

/** What a callback waits for, while it waits. */
export interface Waits {
  /** Tells callbacks apart, in other processes too. */
  readonly id: string;
  /** How many calls. */
  readonly pending: number;
  /** Keys of this process. */
  readonly keys: readonly AwaitedKey[];
}

/** A callback that runs, as seen from the calls that are made inside it. */
export interface CallbackScope {
  readonly keyId: string;
  /** Tells instances of the module apart. */
  readonly environment: Environment;
  /** `false` once the callback has ended: what it left running may call its key. */
  readonly running: boolean;
  /** Who waits for it, while it runs. */
  readonly caller: Caller | undefined;
  /** `undefined` where it never waited for a key. */
  readonly waits: Waits | undefined;
  /** Whether whatever waits for the store waits for this callback. */
  readonly holdsStore: boolean;
  /** The callback waits for another key from now on. Left out: for one of another process. */
  waitBegins(key?: AwaitedKey): void;
  /** What it waits for is on its way: its slot is free for it. */
  lendSlot(): void;
  /**
   * The wait is over. Resolves when the callback may go on.
   * @param inTime `false`: it may go on at once
   */
  waitEnded(key: AwaitedKey | undefined, inTime: boolean): Promise<void> | undefined;
}

/** Who waits for a message or a signal. */
export interface Caller {
  /** The asynchronous context that callbacks run in on its behalf; `undefined`: in nobody's. */
  readonly context: AsyncResource | undefined;
  /** The callback of this process that the call was made in. */
  readonly callback: CallbackScope | undefined;
  /** Callbacks of other processes that wait for it, the outermost first. */
  readonly chain: readonly WaitingCallback[];
  /** What its traces came with from another process. */
  readonly carried?: TraceHeaders | undefined;
}

/** No callback waits: an operator does. */
export const NOBODY: Caller = { context: undefined, callback: undefined, chain: [] };
