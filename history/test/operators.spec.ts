import {
  checkHistory,
  refOf,
  type HistoryEvent,
  type Observation,
  type OperatorCall,
  type Promised,
} from '../src/index.js';

const [first, second] = [refOf('a', 0), refOf('a', 1)];
const epoch = { shard: 0, epoch: 1 };

type Ref = typeof first;
type Line = Observation;

const replayOf = (ref: Ref, times = 1): Ref => ({ ...ref, id: `${ref.id}~${times}`, seq: -1 });
const published = (ref: Ref, messageType?: string): Line[] => [
  { type: 'published', ...ref, ...(messageType === undefined ? {} : { messageType }) },
  { type: 'confirmed', ...ref },
];
let numbers = 0;

function delivered(ref: Ref) {
  const delivery = { ...ref, ...epoch, delivery: ++numbers };
  const came: Line = { type: 'delivered', ...delivery, redelivered: false, fromSide: false };
  return { came, settled: { type: 'settled', ...delivery } as Line, delivery };
}

function attempt(ref: Ref, outcome: 'ok' | 'failed' = 'ok', state?: number): Line[] {
  const called = {
    ...ref,
    ...epoch,
    callback: 'handleMessage',
    run: ++numbers,
    attempt: 1,
    redelivered: false,
  } as const;
  return [
    { type: 'started', ...called, state },
    { type: 'ended', ...called, outcome, stops: false, state },
  ];
}

function handled(ref: Ref): Line[] {
  const { came, settled } = delivered(ref);
  return [came, ...attempt(ref), settled];
}

function dropped(ref: Ref): Line[] {
  const { came, delivery } = delivered(ref);
  return [came, { type: 'deadLettering', ...delivery, reason: 'dropped' }, { type: 'deadLettered', ...delivery }];
}

const asked = (call: OperatorCall, about = 'a'): Line => ({ type: 'asked', call, about });
const granted = (call: OperatorCall, about = 'a', count?: number): Line => ({
  type: 'granted',
  call,
  about,
  ...(count === undefined ? {} : { count }),
});
const declined = (call: OperatorCall, about = 'a'): Line => ({ type: 'declined', call, about });
const owned: Line = { type: 'owned', ...epoch };

function broken(...lines: readonly (Line | Line[])[]): Promised[] {
  const events = [owned, ...lines.flat()].map((seen, n): HistoryEvent => ({
    ...seen,
    process: 'p',
    n,
    mono: n,
    wall: 0,
  }));
  return [...new Set(checkHistory(events, { ackDelay: 0 }).violations.map(({ promise }) => promise))];
}

const both = [...published(first), ...published(second)];
const [initRun, updater] = [1_000, 7];
const idle = { id: '', key: 'a', seq: -1, ...epoch, attempt: 0, redelivered: false } as const;
const init: Line[] = [
  { type: 'started', ...idle, callback: 'init', run: initRun },
  { type: 'ended', ...idle, callback: 'init', run: initRun, outcome: 'ok', stops: false, state: updater },
];
const terminate: Line[] = [
  { type: 'started', ...idle, callback: 'terminate', run: initRun + 1, state: updater },
  { type: 'ended', ...idle, callback: 'terminate', run: initRun + 1, outcome: 'ok', stops: false },
];

describe('what an operator', () => {
  it.each<[string, () => (Line | Line[])[]]>([
    [
      'holds may go on once he resumes it',
      () => [both, granted('pause'), asked('resume'), handled(first), handled(second)],
    ],
    [
      'holds may start as often as he has it tried',
      () => {
        const { came, settled } = delivered(first);
        const tries = [came, asked('retry'), ...attempt(first, 'failed'), asked('retry'), ...attempt(first), settled];
        return [both, granted('pause'), tries, asked('resume'), handled(second)];
      },
    ],
    ['drops goes to the dead letters', () => [both, asked('drop'), dropped(first), granted('drop'), handled(second)]],
    [
      'drops may be handled all the same by an attempt that began before the shard was lost',
      () => {
        const [start, end] = attempt(first) as [Line, Line];
        const next = (line: Line): Line => ({ ...line, epoch: 2 }) as Line;
        const lost: Line[] = [
          { type: 'fault', fault: 'lose', target: 'p', shard: 0 },
          { type: 'lost', ...epoch },
        ];
        const drops = [asked('drop'), ...dropped(first).map(next), granted('drop')];
        return [both, delivered(first).came, start, lost, next(owned), drops, end, handled(second).map(next)];
      },
    ],
    [
      'drops may be on its way while he drops all',
      () => [both, asked('dropAll'), dropped(first), dropped(second), granted('dropAll', 'a', 2)],
    ],
    ['pauses does not concern other types', () => [published(first, 'x'), granted('pauseType', 'y'), handled(first)]],
    [
      'pauses goes on once he resumes it',
      () => [published(first, 'x'), granted('pauseType', 'x'), asked('resumeType', 'x'), handled(first)],
    ],
    ['ends may be ending when he is told', () => [init, asked('deactivate'), granted('deactivate'), terminate]],
    [
      'replays is another message, behind what was published since',
      () => [
        both,
        asked('drop'),
        dropped(first),
        granted('drop'),
        published(replayOf(first)),
        handled(second),
        handled(replayOf(first)),
      ],
    ],
  ])('%s', (_name, lines) => {
    expect(broken(...lines())).toEqual([]);
  });

  it.each<[string, Promised, () => (Line | Line[])[]]>([
    ['holds starts', 'startedThoughHeld', () => [both, granted('pause'), handled(first)]],
    [
      'holds starts once more than he has it tried',
      'startedThoughHeld',
      () => {
        const { came, settled } = delivered(first);
        const tried = [came, asked('retry'), ...attempt(first, 'failed'), ...attempt(first), settled];
        return [both, granted('pause'), tried, asked('resume'), handled(second)];
      },
    ],
    [
      'holds starts though he was told that it cannot be tried',
      'startedThoughHeld',
      () => [both, granted('pause'), asked('retry'), declined('retry'), handled(first)],
    ],
    [
      'pauses of a type starts',
      'startedThoughPaused',
      () => [published(first, 'x'), granted('pauseType', 'x'), handled(first)],
    ],
    [
      'drops is handled as well, by an attempt that runs',
      'unexplainedDuplicate',
      () => {
        const [start, end] = attempt(first) as [Line, Line];
        const { came, delivery } = delivered(first);
        const letter: Line[] = [
          { type: 'deadLettering', ...delivery, reason: 'dropped' },
          { type: 'deadLettered', ...delivery },
        ];
        return [both, came, start, asked('drop'), letter, granted('drop'), end, handled(second)];
      },
    ],
    ['did not drop is dropped', 'unjustifiedDeadLetter', () => [both, dropped(first), handled(second)]],
    [
      'could not drop is dropped',
      'unjustifiedDeadLetter',
      () => [both, asked('drop'), declined('drop'), dropped(first), handled(second)],
    ],
    [
      'drops brings another with it',
      'unjustifiedDeadLetter',
      () => [both, asked('drop'), dropped(first), dropped(second), granted('drop')],
    ],
    [
      'has dropped goes on to be dropped',
      'unjustifiedDeadLetter',
      () => [both, asked('dropAll'), dropped(first), granted('dropAll', 'a', 1), dropped(second)],
    ],
    ['is told to be dropped is not', 'notDropped', () => [both, asked('drop'), granted('drop'), dropped(first)]],
    [
      'is told to be dropped was fewer',
      'notDropped',
      () => [both, asked('dropAll'), dropped(first), granted('dropAll', 'a', 2)],
    ],
    ['has closed takes shards', 'claimedThoughPaused', () => [granted('pauseIntake', 'p'), { ...owned, epoch: 2 }]],
    [
      'ends goes on',
      'foreignState',
      () => {
        const { came, settled } = delivered(first);
        const ended = [asked('deactivate'), granted('deactivate')];
        return [both, init, ended, came, attempt(first, 'ok', updater), settled, terminate, handled(second)];
      },
    ],
    [
      'replays is lost',
      'lost',
      () => [both, asked('drop'), dropped(first), granted('drop'), published(replayOf(first)), handled(second)],
    ],
    [
      'replays overtakes what he replayed before',
      'outOfOrder',
      () => {
        const drops = [asked('dropAll'), ...dropped(first), ...dropped(second), granted('dropAll', 'a', 2)];
        const [one, other] = [replayOf(first), replayOf(second)];
        return [both, drops, published(one), published(other), handled(other), handled(one)];
      },
    ],
    [
      'dropped is handled though nobody replayed it',
      'phantom',
      () => [both, asked('drop'), dropped(first), granted('drop'), handled(second), handled(replayOf(first))],
    ],
  ])('%s: %s', (_name, promise, lines) => {
    expect(broken(...lines())).toContain(promise);
  });
});
