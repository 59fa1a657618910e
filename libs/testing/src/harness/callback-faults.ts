import { encodeShardingKey, type ShardingKey } from '@mississippi/core';
import type { BenchCallback } from '@mississippi/core/testing';

/**
 * Which callbacks a fault is for.
 * @publicApi
 */
export interface CallbackChoice {
  /** Default `'handleMessage'`. */
  readonly callback?: 'init' | 'activate' | 'handleMessage' | 'handleSignal' | 'handleContinue' | 'terminate';
  /** How many calls of it, from the next one on. Default 1; `Infinity` for all. */
  readonly times?: number;
}

/**
 * What {@link InstanceHarness.hang} is told.
 * @publicApi
 */
export interface HangOptions extends CallbackChoice {
  /**
   * `'start'` (default): your code is not entered before the release. `'end'`: it has run, and nobody hears what it answers
   * before the release, so that a crash meanwhile comes between the work and its settlement.
   */
  readonly at?: 'start' | 'end';
}

/**
 * What {@link InstanceHarness.fail} is told.
 * @publicApi
 */
export interface FailOptions extends CallbackChoice {
  /** What is thrown in place of the call. Default an `Error` that says so. */
  readonly error?: unknown;
}

/**
 * Callbacks that hang.
 * @publicApi
 */
export interface Hang {
  /** Resolves when the first of them hangs. */
  readonly reached: Promise<void>;
  /** Lets them go on, and no others hang. */
  readonly release: () => void;
}

interface Fault {
  readonly id: string;
  readonly name: string;
  times: number;
  /** Whether it hangs at this moment. */
  hangs: number;
  apply(invoke: () => unknown): unknown;
}

const idOf = (key: ShardingKey): string => Buffer.from(encodeShardingKey(key)).toString('base64');

/** What is to go wrong in callbacks. */
export class CallbackFaults {
  private readonly faults: Fault[] = [];
  private readonly releases = new Set<() => void>();

  hang(key: ShardingKey, { callback = 'handleMessage', times = 1, at = 'start' }: HangOptions): Hang {
    const [reached, arrive] = signal();
    const [released, release] = signal();
    const wait = async (): Promise<void> => {
      fault.hangs++;
      arrive();
      await released;
      fault.hangs--;
    };
    const fault = this.add(key, callback, times, async (invoke) => {
      if (at === 'start') {
        await wait();
        return invoke();
      }
      try {
        return await invoke();
      } finally {
        await wait();
      }
    });
    const end = (): void => {
      fault.times = 0;
      this.releases.delete(end);
      release();
    };
    this.releases.add(end);
    return { reached, release: end };
  }

  fail(key: ShardingKey, { callback = 'handleMessage', times = 1, error }: FailOptions): void {
    this.add(key, callback, times, () => {
      throw error ?? new Error(`The test lets ${callback} fail.`);
    });
  }

  /** Whether the callback hangs because it was told to. */
  hanging(key: ShardingKey | undefined, callback: string | undefined): boolean {
    if (key === undefined) return false;
    const id = idOf(key);
    return this.faults.some((fault) => fault.id === id && fault.name === callback && fault.hangs > 0);
  }

  run({ key, name }: BenchCallback, invoke: () => unknown): unknown {
    if (this.faults.length === 0) return invoke();
    const id = idOf(key);
    const fault = this.faults.find((planned) => planned.times > 0 && planned.id === id && planned.name === name);
    if (fault === undefined) return invoke();
    fault.times--;
    return fault.apply(invoke);
  }

  /** What hangs goes on, and nothing is to fail any more. */
  clear(): void {
    for (const release of this.releases) release();
    for (const fault of this.faults) fault.times = 0;
  }

  private add(key: ShardingKey, name: string, times: number, apply: Fault['apply']): Fault {
    const fault: Fault = { id: idOf(key), name, times, hangs: 0, apply };
    this.faults.push(fault);
    return fault;
  }
}

function signal(): [Promise<void>, () => void] {
  let fire = (): void => undefined;
  const promise = new Promise<void>((resolve) => (fire = resolve));
  return [promise, fire];
}
