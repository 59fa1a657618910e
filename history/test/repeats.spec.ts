import { checkHistory, refOf, type HistoryEvent, type Limits, type Observation, type Verdict } from '../src/index.js';

interface Seen {
  readonly process: string;
  readonly seen: Observation;
}

const SHARD = 0;
const inEpoch = (epoch: number) => ({ shard: SHARD, epoch });

/** One thing after the other, so many milliseconds apart. */
function check(list: readonly (Seen | readonly Seen[])[], limits: Limits = {}, apart = 1): Verdict {
  const events = list
    .flat()
    .map(({ process, seen }, i): HistoryEvent => ({ ...seen, process, n: i, mono: i * apart, wall: 0 }));
  return checkHistory(events, limits);
}

const by = (process: string, seen: Observation): Seen => ({ process, seen });
const owned = (process: string, epoch: number): Seen => by(process, { type: 'owned', ...inEpoch(epoch) });
const lost = (process: string, epoch: number): Seen => by(process, { type: 'lost', ...inEpoch(epoch) });
const lose = (target: string): Seen => by('test', { type: 'fault', fault: 'channel', target });

function killed(target: string): Seen[] {
  return [by('test', { type: 'fault', fault: 'kill', target }), by('test', { type: 'exited', target, how: 'killed' })];
}

/** What happens to a message of one key: it is delivered, attempted, handled and settled. */
function message(seq: number, process: string, epoch: number, copy = 0): [Seen, Seen, Seen, Seen] {
  const delivered = { ...refOf('a', seq), ...inEpoch(epoch), delivery: 100 * epoch + seq + 50 * copy };
  const called = { ...refOf('a', seq), ...inEpoch(epoch), callback: 'handleMessage' as const, run: delivered.delivery };
  const run = { ...called, attempt: 1, redelivered: false };
  return [
    by(process, { type: 'delivered', ...delivered, redelivered: false, fromSide: false }),
    by(process, { type: 'started', ...run }),
    by(process, { type: 'ended', ...run, outcome: 'ok', stops: false }),
    by(process, { type: 'settled', ...delivered }),
  ];
}

const published = [0, 1, 2].map((seq) => by('publisher', { type: 'published', ...refOf('a', seq) }));
const LEGAL = { violations: [] as unknown[] };

describe('a repeat', () => {
  it('of what a killed process had not settled, or had just settled, is explained and counted', () => {
    const [delivered, started, ended] = message(1, 'one', 1);
    const first = [published, owned('one', 1), message(0, 'one', 1), delivered, started, ended, killed('one')];
    const second = [owned('two', 1), message(1, 'two', 1), message(2, 'two', 1)];
    expect(check([...first, ...second])).toMatchObject({ ...LEGAL, duplicates: 1, mostDuplicates: 2 });
    // An ack that was on its way for a second has arrived.
    expect(check([...first, ...second], {}, 1_000)).toMatchObject({ ...LEGAL, duplicates: 1, mostDuplicates: 1 });
  });

  it('is not for a process that lives on and knows what it handled', () => {
    const events = [published, owned('one', 1), message(0, 'one', 1).slice(0, 3), lost('one', 1), owned('one', 2)];
    expect(check([...events, message(0, 'one', 2)]).violations).toEqual([
      expect.objectContaining({ text: expect.stringMatching(/a#0 started .* had handled the message/) }),
      expect.objectContaining({
        text: expect.stringMatching(/a#0 was handled 2 times, but the faults explain only 1/),
      }),
      expect.objectContaining({ text: expect.stringMatching(/1 messages were handled again/) }),
    ]);
  });

  it('is explained where a copy that was sent again had come, and was taken for what was handled', () => {
    const sent = [0, 1].map((seq) => by('publisher', { type: 'published', ...refOf('a', seq) }));
    const cut = [lose('one'), by('publisher', { type: 'interrupted' }), lost('one', 1)];
    const copies = [0, 1].map((seq) => message(seq, 'one', 1, 1)[0]);
    const handled = [0, 1].flatMap((seq) => message(seq, 'one', 1));
    const again = [0, 1].flatMap((seq) => message(seq, 'one', 2));
    const copiesAgain = [0, 1].flatMap((seq) => message(seq, 'one', 2, 1));
    const events = (came: readonly Seen[]) => [sent, owned('one', 1), handled, came, cut, owned('one', 2), again];
    expect(check([...events(copies), copiesAgain])).toMatchObject({ ...LEGAL, duplicates: 4, mostDuplicates: 4 });
    // Where no copy was there to be confused with, what was handled is known.
    const texts = check([...events([]), copiesAgain]).violations.map(({ text }) => text);
    expect(texts).toContain('a#0 was handled 3 times, but the faults explain only 2');
  });

  it('by another process is explained by a loss, while the one that lost it is at it still', () => {
    const [delivered, started, ended, settled] = message(1, 'one', 1);
    const before = [published, owned('one', 1), message(0, 'one', 1), delivered, started];
    const after = [owned('two', 1), message(0, 'two', 1), message(1, 'two', 1), ended];
    const known = [...before, lose('one'), lost('one', 1), ...after];
    expect(check(known)).toMatchObject({ ...LEGAL, duplicates: 2, mostDuplicates: 2 });
    // It need not have heard of it when the other one begins, but must in the end.
    expect(check([...before, lose('one'), ...after, lost('one', 1)])).toMatchObject({ ...LEGAL, mostDuplicates: 2 });
    expect(check([...before, lose('one'), ...after]).violations).not.toEqual([]);
    expect(check([...known, settled]).violations).toMatchObject([{ promise: 'settledInLostEpoch' }]);
  });

  it('of what was read out of the side queue is explained beside the window', () => {
    const run = (key: string, fromSide: boolean, process: string, epoch: number): Seen[] =>
      message(0, process, epoch).map(({ seen }) =>
        by(process, {
          ...seen,
          ...refOf(key, 0),
          ...('delivery' in seen && { delivery: seen.delivery + (fromSide ? 500 : 0) }),
          ...('run' in seen && { run: seen.run + (fromSide ? 500 : 0) }),
          ...('fromSide' in seen && { fromSide }),
        }),
      );
    const begun = (['aside', 'other'] as const).map((key) => run(key, key === 'aside', 'one', 1).slice(0, 3));
    const [aside, other] = begun.map(([delivered, started]) => [delivered!, started!]);
    const both = ['aside', 'other'].map((key) => by('publisher', { type: 'published', ...refOf(key, 0) }));
    const move = { ...refOf('aside', 0), ...inEpoch(1), delivery: 99 };
    const moved = [
      by('one', { type: 'delivered', ...move, redelivered: false, fromSide: false }),
      by('one', { type: 'parking', ...move }),
      by('one', { type: 'parked', ...move }),
    ];
    const before = [both, owned('one', 1), moved, aside!, other!, lose('one'), lost('one', 1), owned('two', 1)];
    const after = [run('aside', true, 'two', 1), run('other', false, 'two', 1), begun.map(([, , ended]) => ended!)];
    const verdict = check([...before, ...after], { prefetch: 1 });
    expect(verdict.violations.filter(({ promise }) => promise === 'unexplainedDuplicate')).toEqual([]);
    expect(verdict).toMatchObject({ duplicates: 2, mostDuplicates: 2 });
  });

  it('of what was read out of the side queue and settled since the fault is explained beside the window, too', () => {
    const read = (process: string): Seen[] =>
      [0, 1, 2]
        .flatMap((seq) => message(seq, process, 1))
        .map(({ seen }) => by(process, 'fromSide' in seen ? { ...seen, fromSide: true } : seen));
    const frozen = by('test', { type: 'fault', fault: 'freeze', target: 'one' });
    const events = [published, owned('one', 1), frozen, read('one'), lost('one', 1), owned('two', 1), read('two')];
    expect(check(events, { prefetch: 1 })).toMatchObject({ ...LEGAL, duplicates: 3, mostDuplicates: 3 });
  });

  it('of one shard is not explained by what befell another', () => {
    const events = (shard: number): Seen[] => [
      ...published,
      owned('one', 1),
      ...message(0, 'one', 1),
      by('test', { type: 'fault', fault: 'queue', target: '*', shard }),
      lost('one', 1),
      owned('two', 1),
      ...message(0, 'two', 1),
    ];
    // The ack had time to arrive before the loss, but not before the fault.
    expect(check(events(SHARD), { ackDelay: 2 })).toMatchObject(LEGAL);
    expect(check(events(SHARD + 1), { ackDelay: 1.5 }).violations).not.toEqual([]);
  });

  it('is explained by a copy that a move left which was under way', () => {
    const [delivered, started, ended] = message(0, 'one', 1);
    const ref = { ...refOf('a', 0), ...inEpoch(1), delivery: 100 };
    const moved = [delivered, by('one', { type: 'parking', ...ref }), lost('one', 1)];
    const again = [owned('one', 2), message(0, 'one', 2), lost('one', 2), owned('one', 3), message(0, 'one', 3)];
    expect(check([published, owned('one', 1), ...moved, ...again])).toMatchObject({ ...LEGAL, duplicates: 1 });
    expect(
      check([published, owned('one', 1), delivered, started, ended, lost('one', 1), ...again]).violations,
    ).not.toEqual([]);
  });

  it('of what was settled just before a fault is explained, though the shard was handed over in good order since', () => {
    const released = by('one', { type: 'released', ...inEpoch(1) });
    const events = [published, owned('one', 1), message(0, 'one', 1)];
    const handedOver = [released, owned('two', 1), message(0, 'two', 1)];
    expect(check([...events, lose('one'), ...handedOver])).toMatchObject({
      ...LEGAL,
      duplicates: 1,
      mostDuplicates: 1,
    });
    expect(check([...events, ...handedOver]).violations).not.toEqual([]);
  });

  it('of what its publisher sent again is explained, once for each time', () => {
    const twice = [owned('one', 1), message(0, 'one', 1), message(0, 'one', 1, 1)];
    const interrupted = by('publisher', { type: 'interrupted' });
    expect(check([published, interrupted, twice.flat()])).toMatchObject({ ...LEGAL, duplicates: 1, mostDuplicates: 3 });
    const confirmed = by('publisher', { type: 'confirmed', ...refOf('a', 0) });
    expect(check([published, confirmed, interrupted, twice.flat()]).violations).not.toEqual([]);
  });

  it('is told at once where the broker lives in the process', () => {
    const events = [
      published,
      owned('one', 1),
      message(0, 'one', 1),
      killed('one'),
      owned('two', 1),
      message(0, 'two', 1),
    ];
    expect(check(events)).toMatchObject(LEGAL);
    expect(check(events, { ackDelay: 0 }).violations[0]).toMatchObject({
      text: 'a#0 started in two though the message was settled',
    });
  });
});

describe('a successor', () => {
  const [, started] = message(0, 'one', 1);

  it('may start beside an attempt that was abandoned, and whose end counts no more', () => {
    const [, , ended] = message(0, 'one', 1);
    const events = [published, owned('one', 1), message(0, 'one', 1).slice(0, 2), lost('one', 1), owned('one', 2)];
    const limits = { handlerTimeout: 250, grace: 100 };
    const late = [by('test', { type: 'note', text: 'much later' }), message(0, 'one', 2), ended];
    expect(check([...events, ...late], limits, 200)).toMatchObject({ ...LEGAL, duplicates: 0 });
    expect(check([...events, ...late], {}, 200).violations[0]).toMatchObject({ promise: 'overlapWithin' });
  });

  it('may start beside what a killed process did not end', () => {
    const events = [published, owned('one', 1), message(0, 'one', 1)[0], started, killed('one'), owned('two', 1)];
    expect(check([...events, message(0, 'two', 1)])).toMatchObject(LEGAL);
  });
});

describe('a shard of which a queue is bad', () => {
  const target = '*';
  const bad = by('test', { type: 'fault', fault: 'queue', target, shard: SHARD });
  const healed = by('test', { type: 'healed', fault: 'queue', target, shard: SHARD });

  it('may have gone to another when its owner hears that it is lost, however often', () => {
    const first = [owned('one', 1), owned('two', 1), lost('one', 1)];
    const second = [owned('one', 2), lost('two', 1), lost('one', 2)];
    expect(check([bad, ...first, ...second, healed])).toMatchObject(LEGAL);
    expect(check([...first]).violations).toMatchObject([{ promise: 'twoOwners' }]);
    // Who gets it when that is over keeps it.
    expect(check([bad, healed, ...first], {}, 100).violations).toMatchObject([{ promise: 'twoOwners' }]);
  });
});

describe('a message that bypasses the transport', () => {
  const direct = { id: 'a~0', key: 'a' };
  const sent = [
    owned('one', 1),
    by('one', { type: 'directed', ...direct }),
    by('one', { type: 'accepted', ...direct, ...inEpoch(1) }),
  ];
  const [, started, ended] = message(0, 'one', 1).map(({ process, seen }) =>
    by(process, { ...seen, ...direct, seq: -1 } as Observation),
  );
  const answered = (how: 'resolved' | 'rejected'): Seen => by('one', { type: 'answered', ...direct, how });

  it.each<[string, readonly Seen[]]>([
    ['is never answered', [...sent, started!, ended!]],
    ['is answered twice', [...sent, started!, ended!, answered('resolved'), answered('resolved')]],
    ['is told handled, and was not', [...sent, answered('resolved')]],
    ['is told refused, and was handled', [...sent, started!, ended!, answered('rejected')]],
  ])('that %s is found', (_name, events) => {
    expect(check(events).violations).toMatchObject([{ promise: 'wrongAnswer' }]);
  });

  it('that is handled and answered breaks no promise, nor does the silence of a killed process', () => {
    expect(check([...sent, started!, ended!, answered('resolved')])).toMatchObject(LEGAL);
    expect(check([...sent, ...killed('one')])).toMatchObject(LEGAL);
  });
});
