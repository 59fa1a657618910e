import {
  checkHistory,
  type HistoryEvent,
  type Limits,
  type Observation,
  type Promised,
  type SignalEnd,
} from '../src/index.js';

const ID = 'caller.1:1';
const signal = { id: ID, key: 'a' };
const called = { ...signal, seq: -1, shard: 0, epoch: 1, callback: 'handleSignal', attempt: 0 } as const;

type Line = readonly [process: string, seen: Observation, at: number];

const owned: Line = ['owner', { type: 'owned', shard: 0, epoch: 1 }, 0];
const sent: Line = ['caller', { type: 'signalled', ...signal, timeout: 1_000 }, 1];
const started = (at: number, run = 1): Line => ['owner', { type: 'started', ...called, run, redelivered: false }, at];
const ended = (at: number, run = 1, outcome: 'ok' | 'failed' = 'ok'): Line => [
  'owner',
  { type: 'ended', ...called, run, redelivered: false, outcome, stops: false },
  at,
];
const told = (how: SignalEnd, at: number): Line => ['caller', { type: 'signalEnded', ...signal, how }, at];
const exited = (how: 'left' | 'killed', at: number): Line => ['test', { type: 'exited', target: 'caller', how }, at];

function check(...lines: readonly Line[]) {
  return checkUnder({ signalDelay: 500 }, ...lines);
}

function checkUnder(limits: Limits, ...lines: readonly Line[]) {
  const events = [owned, ...lines].map(([process, seen, mono], n): HistoryEvent => ({
    ...seen,
    process,
    n,
    mono,
    wall: 0,
  }));
  return checkHistory(events, limits);
}

describe('a signal', () => {
  it.each<[string, readonly Line[]]>([
    ['runs and is answered', [sent, started(2), ended(3), told('answered', 4)]],
    ['never runs, as its caller is told', [sent, told('notRun', 1_001)]],
    ['may run, as its caller is told', [sent, started(2), told('unknown', 1_001), ended(1_002)]],
    ['fails, as its caller is told', [sent, started(2), ended(3, 1, 'failed'), told('failed', 4)]],
    ['starts at its time-out', [sent, told('unknown', 1_201), started(1_501), ended(1_502)]],
    ['has a caller that was killed', [sent, started(2), ended(3), exited('killed', 4)]],
  ])('that %s breaks no promise', (_name, lines) => {
    expect(check(...lines).violations).toEqual([]);
  });

  it.each<[string, Promised, readonly Line[]]>([
    ['runs twice', 'signalTwice', [sent, started(2), ended(3), started(5, 2), ended(6, 2), told('answered', 7)]],
    ['runs though it was not to', 'signalRanUntold', [sent, told('notRun', 1_001), started(1_002), ended(1_003)]],
    ['had run when its caller heard that not', 'signalRanUntold', [sent, started(2), ended(3), told('notRun', 1_001)]],
    ['runs long after its time-out', 'signalRanUntold', [sent, told('unknown', 1_201), started(1_502), ended(1_503)]],
    ['is answered though it never ran', 'signalFalseAnswer', [sent, told('answered', 4)]],
    ['is answered while it runs', 'signalFalseAnswer', [sent, started(2), told('answered', 4), ended(5)]],
    [
      'is answered though it failed',
      'signalFalseAnswer',
      [sent, started(2), ended(3, 1, 'failed'), told('answered', 4)],
    ],
    ['has a caller that is never told', 'signalUnanswered', [sent, started(2), ended(3)]],
    ['has a caller that left without being told', 'signalUnanswered', [sent, exited('left', 3)]],
    ['outlives its time-out', 'signalLate', [sent, told('notRun', 1_502)]],
  ])('that %s is found', (_name, promise, lines) => {
    expect(check(...lines).violations).toMatchObject([{ promise }]);
  });

  it('may have started when its caller hears that it will not run, where that news takes its time, but not afterwards', () => {
    const limits = { signalNotice: 300 };
    expect(checkUnder(limits, sent, started(900), ended(901), told('notRun', 1_199)).violations).toEqual([]);
    expect(checkUnder(limits, sent, started(900), ended(901), told('notRun', 1_200)).violations).toHaveLength(1);
    expect(checkUnder(limits, sent, told('notRun', 1_001), started(1_002), ended(1_003)).violations).toHaveLength(1);
  });

  it('is counted by its end, and by its wait', () => {
    const waited = check(sent, started(1_001), ended(1_002), told('answered', 1_003));
    expect(waited.signals).toEqual({ sent: 1, answered: 1, notRun: 0, unknown: 0, failed: 0, waited: 1 });
  });
});
