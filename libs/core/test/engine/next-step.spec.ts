import { nextStep, type KeyState, type Step } from '../../src/engine/keys/next-step.js';

/** A key with a live data updater and nothing to do. */
const RESTING: KeyState = {
  preceded: false,
  continues: false,
  awaitsDeadLetter: false,
  updater: 'live',
  committing: false,
  full: false,
  closing: false,
  head: 'none',
  ownership: 'certain',
  slot: 'none',
  signals: 0,
  signalsFirst: 0,
  signalsPaused: false,
};

const everything: Partial<KeyState> = { head: 'ready', slot: 'granted', signals: 2, signalsFirst: 1 };

const table: readonly [string, Partial<KeyState>, Step][] = [
  ['a key with nothing to do rests', {}, 'nothing'],
  [
    'with too much uncommitted neither a message nor a signal starts',
    { ...everything, committing: true, full: true },
    'nothing',
  ],
  ['with a commit pending the next message is attempted', { ...everything, signals: 0, committing: true }, 'attempt'],
  ['with a commit pending a signal runs', { signals: 1, committing: true }, 'signal'],
  ['a continuation waits for the commit', { continues: true, committing: true }, 'nothing'],
  ['the end of a data updater waits for the commit', { updater: 'ending', committing: true }, 'nothing'],
  ['the start of a data updater waits for the commit', { ...everything, updater: 'none', committing: true }, 'nothing'],

  ['a key without a data updater and without work rests', { updater: 'none' }, 'nothing'],

  ['a ready head is attempted, for which the key gets a slot', { head: 'ready' }, 'attempt'],
  ['in line for one it waits', { head: 'ready', slot: 'requested' }, 'nothing'],
  ['with a slot it is attempted', { head: 'ready', slot: 'granted' }, 'attempt'],
  ['a data updater that is not there yet is no hindrance', { ...everything, signals: 0, updater: 'none' }, 'attempt'],
  ['a head that waits for its dead letter stays', { head: 'settling', slot: 'granted' }, 'nothing'],

  ['an uncertain shard is verified before an attempt', { head: 'ready', ownership: 'uncertain' }, 'verification'],
  ['a slot makes no shard certain', { head: 'ready', ownership: 'uncertain' }, 'verification'],
  ['nobody asks about a shard where nothing is to start', { ownership: 'uncertain' }, 'nothing'],
  ['while the broker is asked the head waits', { head: 'ready', ownership: 'suspended' }, 'nothing'],
  ['and signals go on', { ...everything, ownership: 'suspended' }, 'signal'],

  ['a signal needs no slot', { signals: 1 }, 'signal'],
  ['signals that waited when a message ended go first', everything, 'signal'],
  ['those that came later wait for one message', { ...everything, signalsFirst: 0 }, 'attempt'],
  ['but not while it is in line for a slot', { ...everything, slot: 'requested', signalsFirst: 0 }, 'signal'],
  ['where this round had its signals they wait for the next', { signals: 1, signalsPaused: true }, 'nothing'],
  ['and those that go first still do', { ...everything, signalsPaused: true }, 'nothing'],
  ['while a message whose turn it is runs', { ...everything, signalsFirst: 0, signalsPaused: true }, 'attempt'],
  ['a count of signals that are gone holds nobody up', { ...everything, signals: 0, signalsFirst: 3 }, 'attempt'],

  ['a continuation goes before all else', { ...everything, continues: true, updater: 'ending' }, 'continuation'],
  ['also when the epoch ends', { ...everything, continues: true, closing: true }, 'continuation'],
  ['what follows a discard waits for its dead letter', { ...everything, awaitsDeadLetter: true }, 'nothing'],
  ['a data updater that is to end ends before anything else runs', { ...everything, updater: 'ending' }, 'termination'],

  ['when the epoch ends a data updater is ended', { closing: true }, 'endUpdater'],
  ['and then terminated', { closing: true, updater: 'ending' }, 'termination'],
  ['nothing else starts', { ...everything, closing: true, updater: 'none' }, 'nothing'],
  ['a dead letter that is under way is awaited', { closing: true, head: 'settling' }, 'nothing'],

  ['while a former epoch runs the key, nothing runs here', { ...everything, preceded: true }, 'nothing'],
  ['not even the end', { preceded: true, closing: true }, 'nothing'],
];

test.each(table)('%s', (_, state, step) => {
  const key = Object.freeze({ ...RESTING, ...state });
  expect(nextStep(key)).toBe(step);
});

const BOOLEANS = [false, true];

function* states(): Generator<KeyState> {
  for (const preceded of BOOLEANS)
    for (const continues of BOOLEANS)
      for (const awaitsDeadLetter of BOOLEANS)
        for (const committing of BOOLEANS)
          for (const full of committing ? BOOLEANS : [false])
            for (const closing of BOOLEANS)
              for (const updater of ['none', 'live', 'ending'] as const)
                for (const head of ['none', 'ready', 'settling'] as const)
                  for (const ownership of ['certain', 'uncertain', 'suspended'] as const)
                    for (const slot of ['none', 'requested', 'granted'] as const)
                      for (const signals of [0, 1, 2])
                        for (const signalsFirst of [0, 1, 2])
                          for (const signalsPaused of BOOLEANS) {
                            const rest = { updater, head, ownership, slot, signals, signalsFirst, signalsPaused };
                            yield { preceded, continues, awaitsDeadLetter, committing, full, closing, ...rest };
                          }
}

test('in every state: an attempt only of a ready head on a certain shard of an epoch that goes on', () => {
  let attempts = 0;
  for (const key of states()) {
    if (nextStep(key) !== 'attempt') continue;
    attempts++;
    expect(key).toMatchObject({
      head: 'ready',
      ownership: 'certain',
      preceded: false,
      closing: false,
    });
    expect(key.updater).not.toBe('ending');
    expect(key.slot).not.toBe('requested');
  }
  expect(attempts).toBeGreaterThan(0);
});

test('in every state: where a signal waits and nothing must go before it, something is done', () => {
  for (const key of states()) {
    const uncommitted = key.full || (key.committing && (key.continues || key.updater !== 'live'));
    const heldUp = key.preceded || key.awaitsDeadLetter || key.closing || key.signalsPaused || uncommitted;
    if (key.signals > 0 && !heldUp) expect(nextStep(key)).not.toBe('nothing');
  }
});
