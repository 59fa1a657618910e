/** One message: the n-th of its key, from 0. Its id is `key#seq`, so that it is known even where the payload cannot be read. */
export interface MessageRef {
  readonly id: string;
  readonly key: string;
  readonly seq: number;
}

/** One period of ownership of a shard by the process that writes. */
export interface EpochRef {
  readonly shard: number;
  readonly epoch: number;
}

interface Delivered extends MessageRef, EpochRef {
  /** Number of the delivery within the process. */
  readonly delivery: number;
}

interface Flown extends MessageRef, EpochRef {
  /** Number of the flight within the process. */
  readonly flight: number;
  readonly attempt: number;
  readonly redelivered: boolean;
}

/** What happens to a process, or to what it is connected through. */
export type FaultName = 'kill' | 'stop' | 'stall' | 'cut' | 'freeze' | 'broker';

/** Target of a fault that strikes everybody. */
export const EVERYBODY = '*';

export type Observation =
  /** `refuse`: the publisher was told that the message was not taken. */
  | ({ readonly type: 'publish' | 'confirm' | 'refuse' } & MessageRef)
  /** The publisher's connection went; what is not confirmed is sent again. */
  | { readonly type: 'interrupted' }
  /** `fromSide`: read out of the side queue. */
  | ({ readonly type: 'deliver'; readonly redelivered: boolean; readonly fromSide: boolean } & Delivered)
  /** `move`: safe in the side queue. `deadLetter`: safe in the dead letters. */
  | ({ readonly type: 'settle' | 'move' | 'deadLetter' } & Delivered)
  | ({ readonly type: 'start' } & Flown)
  | ({ readonly type: 'end'; readonly outcome: 'handled' | 'discarded' | 'failed' } & Flown)
  /** `releasing`: nothing starts any more. `released`: handed over or closed in good order. */
  | ({ readonly type: 'owned' | 'lost' | 'releasing' | 'released' } & EpochRef)
  /** The app is up; it begins to close in good order. */
  | { readonly type: 'up' | 'leaving' }
  | { readonly type: 'fault' | 'healed'; readonly fault: FaultName; readonly target: string }
  /** An operator's doing. */
  | { readonly type: 'operator'; readonly call: 'park' | 'resume' | 'sicken' | 'heal'; readonly key: string }
  /** A process ended: by a kill, or in good order, or by itself. */
  | { readonly type: 'exit'; readonly target: string; readonly how: 'killed' | 'left' | 'crashed' }
  /** Nothing is left in the queues; or something is, and it does not move. */
  | { readonly type: 'drained' | 'stuck'; readonly messages: number };

/** Who saw it, and when. */
export interface Stamp {
  /** `w2.3` is the third process in the place `w2`. */
  readonly process: string;
  /** Line within the process's file. */
  readonly n: number;
  /** Milliseconds of the machine's monotonic clock, the same in all of its processes. */
  readonly mono: number;
  /** Milliseconds since 1970. */
  readonly wall: number;
}

export type ChaosEvent = Stamp & Observation;

type Shape<Any, Type> = Any extends { readonly type: infer Types }
  ? [Extract<Types, Type>] extends [never]
    ? never
    : Any
  : never;

/** Events of the same shape as those of a type. */
export type EventOf<Type extends Observation['type']> = Stamp & Shape<Observation, Type>;

/** Milliseconds of the machine's monotonic clock (CLOCK_MONOTONIC on Linux, which processes share and no stop stops). */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function idOf(key: string, seq: number): string {
  return `${key}#${seq}`;
}

/** The message that an id names; ids that are none of ours belong to no key. */
export function refOfId(id: string | undefined): MessageRef {
  const match = /^([^#]+)#(\d+)$/.exec(id ?? '');
  return match === null ? { id: id ?? '', key: '', seq: -1 } : { id: id!, key: match[1]!, seq: Number(match[2]) };
}

/** Orders events by the machine's monotonic clock; those of one process stay in their order. */
export function inOrderOfTime(events: readonly ChaosEvent[]): ChaosEvent[] {
  return [...events].sort((a, b) => a.mono - b.mono || a.n - b.n);
}
