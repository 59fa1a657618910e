/** One message: the n-th of its key, from 0; -1 where it has no place in the publishing order, as a replay has none. */
export interface MessageRef {
  /**
   * `key#seq`, which is its message id too: so it is known even where the payload cannot be read. `key#seq~2`: the second replay of its
   * dead letter, which is another message.
   */
  readonly id: string;
  readonly key: string;
  readonly seq: number;
}

/** One period of ownership of a shard by the process that writes: numbers of different processes are not comparable. */
export interface EpochRef {
  readonly shard: number;
  readonly epoch: number;
}

/** One delivery of a message, by the channel of one epoch. */
export interface Delivered extends MessageRef, EpochRef {
  /** Number of the delivery within the process. */
  readonly delivery: number;
}

export type CallbackName = 'init' | 'handleMessage' | 'handleSignal' | 'handleContinue' | 'terminate';

/** One run of one callback; one of `handleMessage` is an attempt. */
export interface Called extends MessageRef, EpochRef {
  readonly callback: CallbackName;
  /** Number of the run within the process. */
  readonly run: number;
  /** 0 in a callback that no message caused; its `id` is empty then. */
  readonly attempt: number;
  readonly redelivered: boolean;
  /** The state that it starts on, or answers with: each change has a number of its own. Left out where there is none. */
  readonly state?: number | undefined;
}

/**
 * What happens to a process or to what it is connected through. `channel`: the broker closes or deletes something of its.
 * `queue`: a queue of the shard is not what it should be, until that is healed. `wipe`: the broker is killed, and comes back
 * empty. `alarm`: it takes nothing from those who publish, until that is healed.
 */
export type FaultName =
  'kill' | 'stop' | 'stall' | 'cut' | 'freeze' | 'broker' | 'wipe' | 'alarm' | 'queue' | 'node' | 'channel' | 'lose';

/**
 * What the caller of a signal is told. `notRun`: it did not run and will not. `unknown`: it runs, or may have. `failed`: its
 * handler threw.
 */
export type SignalEnd = 'answered' | 'notRun' | 'unknown' | 'failed';

/** What an operator asks about a key; about a type of messages; about a process, as the history calls it. */
export type OperatorCall =
  | 'pause'
  | 'resume'
  | 'retry'
  | 'drop'
  | 'dropAll'
  | 'deactivate'
  | 'changeState'
  | 'pauseType'
  | 'resumeType'
  | 'pauseIntake'
  | 'resumeIntake';

/** Target of a fault that strikes everybody. */
export const EVERYBODY = '*';

/** What was observed from outside of the library. What is on its way has the present participle, what is done the past one. */
export type Observation =
  /** `refused`: the publisher was told that it was not taken. `excused`: its queue was deleted on purpose. */
  | ({ readonly type: 'published'; readonly garbled?: boolean; readonly messageType?: string } & MessageRef)
  | ({ readonly type: 'confirmed' | 'refused' | 'excused' } & MessageRef)
  /** The publisher's connection went: what is not confirmed is sent again. */
  | { readonly type: 'interrupted' }
  /** `fromSide`: read out of the side queue. */
  | ({ readonly type: 'delivered'; readonly redelivered: boolean; readonly fromSide: boolean } & Delivered)
  /** `parking`: on its way into the side queue. `parked`, `deadLettered`: safe there. */
  | ({ readonly type: 'settled' | 'parking' | 'parked' | 'deadLettered' } & Delivered)
  | ({ readonly type: 'deadLettering'; readonly reason: string } & Delivered)
  | ({ readonly type: 'started' } & Called)
  /** `stops`: the data updater is to end, though nothing failed. */
  | ({ readonly type: 'ended'; readonly outcome: Outcome; readonly stops: boolean } & Called)
  /**
   * `releasing`: nothing starts any more, and what runs is waited for. `released`: handed over or closed in good order.
   * `suspended`: no attempt may start before the owner is `assured`.
   */
  | ({ readonly type: 'owned' | 'lost' | 'releasing' | 'released' | 'suspended' | 'assured' } & EpochRef)
  /** A message that bypasses the transport is sent; comes into its key's queue; its sender hears its end. */
  | { readonly type: 'directed'; readonly id: string; readonly key: string }
  | ({ readonly type: 'accepted'; readonly id: string; readonly key: string } & EpochRef)
  | { readonly type: 'answered'; readonly id: string; readonly key: string; readonly how: 'resolved' | 'rejected' }
  /** A signal is sent; its caller is told its end. Its runs are callbacks that have its id. `timeout`: milliseconds. */
  | { readonly type: 'signalled'; readonly id: string; readonly key: string; readonly timeout: number }
  | { readonly type: 'signalEnded'; readonly id: string; readonly key: string; readonly how: SignalEnd }
  /** The app is up; it begins to close in good order. */
  | { readonly type: 'up' | 'leaving' }
  /** Of one shard only, where one is named. */
  | { readonly type: 'fault'; readonly fault: FaultName; readonly target: string; readonly shard?: number }
  | { readonly type: 'healed'; readonly fault: FaultName; readonly target: string; readonly shard?: number }
  | { readonly type: 'operator'; readonly call: 'park' | 'resume' | 'drop' | 'sicken' | 'heal'; readonly key: string }
  /**
   * An operator asks for something, and is told that it is so, or that it is not. `about`: a key, a type, a process. `count`: messages that
   * were dropped, though not all, perhaps.
   */
  | { readonly type: 'asked'; readonly call: OperatorCall; readonly about: string }
  | {
      readonly type: 'granted' | 'declined';
      readonly call: OperatorCall;
      readonly about: string;
      readonly count?: number;
    }
  /** A process ended: by a kill, or in good order, or by itself. */
  | { readonly type: 'exited'; readonly target: string; readonly how: 'killed' | 'left' | 'crashed' }
  /** Nothing is left in the queues; or something is, and it does not move. */
  | { readonly type: 'drained' | 'stuck'; readonly messages: number; readonly text?: string }
  /** What the app needs in the broker is not there, or nobody serves it, though it had the time. */
  | { readonly type: 'missing'; readonly queue: string; readonly text: string }
  /** The broker took back what was delivered and not settled in time. */
  | { readonly type: 'tookBack'; readonly text: string }
  /** Whatever had nothing to do went idle, and must be gone. */
  | { readonly type: 'idled' }
  /** A planted fault did something that the library does not. */
  | { readonly type: 'struck'; readonly mutant: string }
  /** Something for whoever reads the history. */
  | { readonly type: 'note'; readonly text: string };

export type Outcome = 'ok' | 'discarded' | 'failed';

/** Who saw it, and when. */
export interface Stamp {
  /** `w2.3` is the third process in the place `w2`. */
  readonly process: string;
  /** Its number among what the process saw. */
  readonly n: number;
  /** Milliseconds of the machine's monotonic clock, the same in all of its processes. */
  readonly mono: number;
  /** Milliseconds since 1970. */
  readonly wall: number;
}

export type HistoryEvent = Stamp & Observation;

type Shape<Any, Type> = Any extends { readonly type: infer Types }
  ? [Extract<Types, Type>] extends [never]
    ? never
    : Any
  : never;

/** Events of the same shape as those of a type. */
export type EventOf<Type extends Observation['type']> = Stamp & Shape<Observation, Type>;

export function idOf(key: string, seq: number): string {
  return `${key}#${seq}`;
}

export function refOf(key: string, seq: number): MessageRef {
  return { id: idOf(key, seq), key, seq };
}

/**
 * The message that an id names; ids that are none of ours belong to no key.
 * @param replay which replay of its dead letter it is
 */
export function refOfId(id: string | undefined, replay = 0): MessageRef {
  const match = /^([^#]+)#(\d+)$/.exec(id ?? '');
  const ref = match === null ? { id: id ?? '', key: '', seq: -1 } : refOf(match[1]!, Number(match[2]));
  return replay === 0 ? ref : { ...ref, id: `${ref.id}~${replay}`, seq: -1 };
}

/** Whether it was taken from the dead letters and published again. */
export function isReplay({ id }: MessageRef): boolean {
  return id.includes('~');
}

export function epochName(process: string, { shard, epoch }: EpochRef): string {
  return `${process}:${shard}/${epoch}`;
}

/** Orders events by the machine's monotonic clock; those of one process stay in their order. */
export function inOrderOfTime(events: readonly HistoryEvent[]): HistoryEvent[] {
  return [...events].sort((a, b) => a.mono - b.mono || a.n - b.n);
}

/** One line for people: time since the start in seconds, who, what. */
export function lineOf(event: HistoryEvent, start: number): string {
  const { process, n: _n, mono, wall: _wall, type, ...rest } = event;
  const details = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`);
  const time = ((mono - start) / 1_000).toFixed(4).padStart(9);
  return `${time} ${process.padEnd(12)} ${type.padEnd(13)} ${details.join(' ')}`;
}
