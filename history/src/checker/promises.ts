/** The promises that can be broken, as a report calls what breaks them. */
export const PROMISES = {
  lost: 'lost',
  unsettled: 'never settled',
  stuck: 'stuck',
  phantom: 'phantom',
  outOfOrder: 'out of order',
  overtaking: 'overtaking what came before in the epoch',
  overlapWithin: 'overlapping callbacks within a process',
  overlapAcross: 'overlapping callbacks across processes',
  neverEnded: 'callbacks that never ended',
  twoOwners: 'shards with two owners',
  startedInLostEpoch: 'started in a lost epoch',
  startedWhileReleasing: 'started in an epoch that was closing',
  startedUnassured: 'started while the ownership was uncertain',
  deliveredInLostEpoch: 'delivered in a lost epoch',
  settledInLostEpoch: 'settled in a lost epoch',
  settledUnhandled: 'settled before it was handled',
  settledTwice: 'settled twice',
  unjustifiedDeadLetter: 'dead letters without a reason',
  undecodable: 'attempts at what cannot be decoded',
  tooManyAttempts: 'attempts past the limit',
  foreignState: 'callbacks on a state that is not theirs',
  neverTerminated: 'data updaters that were never terminated',
  wrongAnswer: 'direct messages with a wrong answer',
  startedThoughHeld: 'attempts at a key that an operator holds',
  startedThoughPaused: 'attempts at a type that an operator has paused',
  claimedThoughPaused: 'shards of a process whose intake an operator has paused',
  notDropped: 'messages said to be dropped that are not',
  signalTwice: 'signals that ran twice',
  signalRanUntold: 'signals that ran though their caller was told not, or waited no more',
  signalFalseAnswer: 'signals answered though none had run',
  signalUnanswered: 'signals whose caller was never told',
  signalLate: 'signals that outlived their time-out',
  refused: 'publishes that were refused',
  missing: 'queues missing or unserved',
  tookBack: 'deliveries that the broker took back',
  unexplainedDuplicate: 'duplicates that no fault explains',
  crashed: 'processes that ended by themselves',
} as const;

export type Promised = keyof typeof PROMISES;

export interface Violation {
  readonly promise: Promised;
  readonly text: string;
  readonly key: string | undefined;
  /** When it was seen, on the monotonic clock. */
  readonly mono: number;
}

/** What the parts of the checker found, and where they are in the history. */
export class Findings {
  readonly violations: Violation[] = [];
  /** Number of the event that is looked at. */
  order = 0;
  /** Its time, on the monotonic clock. */
  now = 0;

  add(promise: Promised, text: string, key?: string): void {
    this.violations.push({ promise, text, key, mono: this.now });
  }
}
