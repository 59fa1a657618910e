import type { StepFault } from './store/steps.js';

/** What a process of the run is told at its start, in JSON. */
export interface ProcessPlan {
  /** Name of the process; `w2.3` is the third one in the place `w2`. */
  readonly name: string;
  /** Number of its place among those of its kind, from 0. */
  readonly index: number;
  readonly folder: string;
  /** Of the proxy before the broker. */
  readonly url: string;
  readonly prefix: string;
  readonly quorum: boolean;
  readonly shards: number;
  readonly keys: number;
  /** How many publishers there are. Each has its share of the keys: a key's order is defined for one producer only. */
  readonly publishers: number;
  /** Messages per second of all publishers. */
  readonly rate: number;
  /** Seconds. */
  readonly heartbeat: number;
  readonly prefetch: number;
  /** Milliseconds. */
  readonly claimInterval: number;
  /** Milliseconds that each attempt takes; `undefined`: mostly little, sometimes long. */
  readonly work: number | undefined;
  /** After how long the broker takes a delivery back. Milliseconds; `undefined`: its default. */
  readonly consumerTimeout?: number | undefined;
  readonly seed: number;
  /** Where states are kept; `undefined`: nowhere. */
  readonly store?: StorePlan | undefined;
}

export interface StorePlan {
  /** Of the proxy before the database; a folder where it is embedded. */
  readonly url: string;
  readonly schema: string;
  /** The process is the only one, and keeps its messages there too. */
  readonly embedded?: boolean;
}

/** `wait`: only answers, after so many milliseconds. */
export type OperatorCall = 'park' | 'resume' | 'wait';

/** A signal, as the handler gets it. */
export interface OperatorSignal {
  /** Whoever sent it, and the number that it has there. */
  readonly id: string;
  readonly call: OperatorCall;
  /** Milliseconds for which the handler does nothing. */
  readonly wait: number;
}

/** What a process is told while it runs. */
export type Command =
  | {
      readonly type: 'signal';
      readonly key: string;
      readonly call: OperatorCall;
      readonly wait: number;
      /** Milliseconds. */
      readonly timeout: number;
    }
  /** What a worker is told: be struck at that step, the next time that you are there. */
  | { readonly type: 'arm'; readonly point: string; readonly fault: StepFault }
  | { readonly type: 'disarm' }
  /** What an embedded process is told: have the database refuse the key's state, for so many milliseconds. */
  | { readonly type: 'spoil'; readonly key: string; readonly length: number }
  /** Publish a message, which was discarded, again and mended. */
  | { readonly type: 'replay'; readonly key: string; readonly seq: number }
  /** Publish nothing for a while, and say `quiet` once everything is confirmed. */
  | { readonly type: 'pause' }
  | { readonly type: 'goOn' }
  /** Publish no more, and say `quiet` once everything is confirmed. */
  | { readonly type: 'finish' };

export type Answer = { readonly type: 'up' } | { readonly type: 'quiet' };

/** The numbers of the keys that a publisher has. */
export function keysOf({ index, publishers, keys }: Pick<ProcessPlan, 'index' | 'publishers' | 'keys'>): number[] {
  return Array.from({ length: Math.ceil((keys - index) / publishers) }, (_, round) => index + round * publishers);
}

/** A message's payload: what its handler is to do. */
export interface Task {
  readonly key: string;
  readonly seq: number;
  /** Milliseconds of work. */
  readonly work: number;
  /** Attempts that fail first. */
  readonly fails: number;
  readonly discard: boolean;
}

/** How long a worker waits for what runs when it leaves. Milliseconds. */
export const DRAIN_TIMEOUT = 5_000;

/** Attempts after which a message's key is parked. */
export const ATTEMPTS = 3;

/** Names the mutant that a worker is to become. */
export const MUTANT_VARIABLE = 'CHAOS_MUTANT';

/** Exists while the key's handler is to fail. */
export const sickMark = (key: string): string => `${key}.sick`;

/** Exists while the key's handler is slow. */
export const slowMark = (key: string): string => `${key}.slow`;

/** Exists while the key is to be set aside. */
export const heldMark = (key: string): string => `${key}.held`;

/** What an attempt at a slow key takes besides. Milliseconds. */
export const SLOWNESS = 600;

export function planOf(argument: string | undefined): ProcessPlan {
  if (argument === undefined) throw new Error('A process of the run is started by the run: npm run chaos.');
  return JSON.parse(argument) as ProcessPlan;
}

/** The core wants three callbacks to fit into what the broker waits for. */
export function handlerTimeoutOf({ consumerTimeout }: Pick<ProcessPlan, 'consumerTimeout'>): {
  handlerTimeout?: number;
} {
  return consumerTimeout === undefined ? {} : { handlerTimeout: Math.floor(consumerTimeout / 3) };
}
