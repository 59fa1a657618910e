import { Seeded } from '#support/seeded.js';

export const ACTIONS = [
  'kill',
  'leave',
  'join',
  'stop',
  'stall',
  'cut',
  'cutAll',
  'freeze',
  'broker',
  'publisherCut',
  'publisherKill',
  'park',
  'sicken',
  'slow',
  'slowSignal',
  'alarm',
  'deleteQueue',
  'badQueue',
  'wipe',
  'storeRestart',
  'storeCut',
  'storeSlow',
  'storeFreeze',
  'badRow',
  'dieAt',
  'stopAt',
  'replay',
] as const;

/** Those that need a store. */
export const STORE_ACTIONS: readonly Action[] = [
  'storeRestart',
  'storeCut',
  'storeSlow',
  'storeFreeze',
  'badRow',
  'dieAt',
  'stopAt',
  'replay',
];

export type Action = (typeof ACTIONS)[number];

/** One thing that the nemesis does. The numbers from 0 to below 1 choose whom and how much, among what there is then. */
export interface Step {
  /** Milliseconds after the step before. */
  readonly wait: number;
  readonly action: Action;
  readonly whom: number;
  readonly much: number;
  readonly more: number;
}

/** How often each action is in a deck. */
const DECK: Readonly<Record<Action, number>> = {
  kill: 3,
  leave: 2,
  join: 2,
  stop: 1,
  stall: 1,
  cut: 3,
  cutAll: 1,
  freeze: 1,
  broker: 1,
  publisherCut: 1,
  publisherKill: 1,
  park: 4,
  sicken: 3,
  slow: 2,
  slowSignal: 3,
  alarm: 1,
  deleteQueue: 3,
  badQueue: 2,
  wipe: 1,
  storeRestart: 2,
  storeCut: 5,
  storeSlow: 1,
  storeFreeze: 1,
  badRow: 2,
  dieAt: 6,
  stopAt: 2,
  replay: 2,
};

export interface ScheduleOptions {
  readonly seed: number;
  /** Which actions there may be. */
  readonly actions: readonly Action[];
  /** Bounds of the waits. Milliseconds. */
  readonly shortest: number;
  readonly longest: number;
}

/** The steps of a seed, without end: one shuffled deck after the other, so that soon everything has happened. */
export function* schedule({ seed, actions, shortest, longest }: ScheduleOptions): Generator<Step> {
  const random = new Seeded(seed);
  const whole = actions.flatMap((action) => Array.from({ length: DECK[action] }, () => action));
  for (;;) {
    const deck = [...whole];
    while (deck.length > 0) {
      const [action] = deck.splice(random.below(deck.length), 1);
      const wait = shortest + random.next() * (longest - shortest);
      yield { wait, action: action!, whom: random.next(), much: random.next(), more: random.next() };
    }
  }
}
