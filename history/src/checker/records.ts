import type { MessageRef } from '../events.js';

/** Messages that were published one after the other, of one key. */
export interface Line {
  readonly messages: MessageState[];
  /** Every message before this one is done. */
  frontier: number;
  published: number;
  done: number;
}

export interface Place {
  readonly line: Line;
  readonly at: number;
}

/** One message that the transport carries. */
export interface MessageState {
  readonly ref: MessageRef;
  published: boolean;
  confirmed: boolean;
  /** It need not be handled: it was refused, or its queue was deleted. */
  excused: boolean;
  /** Its payload or its key cannot be read. */
  garbled: boolean;
  /** Its type, where it has one. */
  type: string | undefined;
  /** Where it stands in an order: that of its key, or that of the key's replays. */
  place: Place | undefined;
  /** Its publisher may have sent it more than once. */
  resent: boolean;
  wasParked: boolean;
  /** The broker was told to forget it. */
  gone: boolean;
  /** Attempts that handled it, and dead letters of it. */
  done: number;
  /** Processes in which an attempt handled it. */
  readonly handledBy: Set<string>;
  /** How often the faults may have brought it again. */
  mayRepeat: number;
  /** Epochs in which an attempt at it runs. */
  readonly running: Set<EpochState>;
  /** How often attempts at it began though it was done, and whether the last of them has not succeeded yet. */
  repeats: number;
  repeating: boolean;
}

/** What waits for its turn in an epoch: a delivery, or a message that bypasses the transport. */
export interface Queued {
  readonly id: string;
  /** It came out of the side queue, or is on its way into it: another order holds there. */
  aside: boolean;
}

export interface DeliveryState extends Queued {
  readonly message: MessageState;
  readonly epoch: EpochState;
  /** It came out of the side queue, beside the window. */
  readonly fromSide: boolean;
  /** An attempt at it started. */
  started: boolean;
  /** A copy of it may be in the side queue. */
  parking: boolean;
  /** It goes to the dead letters because an operator dropped it. */
  dropping: boolean;
  /** On the monotonic clock; `Infinity` until it is settled, dead-lettered or parked. */
  settledAt: number;
  /** That it may return was counted: one delivery returns once. */
  returned: boolean;
}

/** One epoch of one shard in one process. */
export interface EpochState {
  readonly name: string;
  readonly process: string;
  readonly shard: number;
  /** The event that opened it, and when, on the monotonic clock. */
  readonly order: number;
  readonly openedAt: number;
  over: 'lost' | 'released' | 'exited' | undefined;
  /** Another process has owned the shard since. */
  superseded: boolean;
  suspended: boolean;
  /** When a drain that is under way gives up waiting. */
  drainEnds: number | undefined;
  /** The first fault that struck it, and how far back its acks may be missing. */
  struck: { readonly mono: number; readonly delay: number } | undefined;
  /** By key, in the order in which it came. */
  readonly queues: Map<string, Queued[]>;
  readonly unsettled: Set<DeliveryState>;
  /** What was settled, the newest last. */
  readonly settled: DeliveryState[];
  /** By message id. */
  readonly attempts: Map<string, number>;
  /** Ids of messages that an attempt discarded. */
  readonly discards: Set<string>;
}

export function messageState(ref: MessageRef): MessageState {
  const flags = { published: false, confirmed: false, excused: false, garbled: false, resent: false, wasParked: false };
  const counts = { done: 0, mayRepeat: 0, repeats: 0 };
  return {
    ref,
    ...flags,
    ...counts,
    running: new Set(),
    gone: false,
    type: undefined,
    place: undefined,
    handledBy: new Set(),
    repeating: false,
  };
}

export function epochState(
  name: string,
  process: string,
  shard: number,
  { order, now }: { readonly order: number; readonly now: number },
): EpochState {
  return {
    name,
    process,
    shard,
    order,
    openedAt: now,
    over: undefined,
    superseded: false,
    suspended: false,
    drainEnds: undefined,
    struck: undefined,
    queues: new Map(),
    unsettled: new Set(),
    settled: [],
    attempts: new Map(),
    discards: new Set(),
  };
}

export function queueOf({ queues }: EpochState, key: string): Queued[] {
  let queue = queues.get(key);
  if (queue === undefined) queues.set(key, (queue = []));
  return queue;
}

/** Takes something out of its queue, where it is in one. */
export function leaveQueue({ queues }: EpochState, key: string, item: Queued): void {
  const queue = queues.get(key);
  const index = queue?.indexOf(item) ?? -1;
  if (index >= 0) queue!.splice(index, 1);
}
