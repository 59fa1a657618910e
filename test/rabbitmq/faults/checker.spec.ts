import { checkHistory } from '../../support/check-history.js';
import type { HistoryEvent, Observation } from '../../support/history.js';
import { Seeded } from '../../support/seeded.js';

const EPOCH = 'app:0/1';
const KEYS = ['a', 'b', 'c'];
const PER_KEY = 20;

type Faulty = (events: Observation[], random: Seeded) => Observation[];

function run(seed: number, spoil: Faulty = (events) => events): readonly string[] {
  const random = new Seeded(seed);
  const events = spoil(legalRun(random), random);
  return checkHistory(events.map((event, index): HistoryEvent => ({ ...event, at: index * 10 }))).violations;
}

/** Publishes everything, then handles the keys interleaved, each in order. */
function legalRun(random: Seeded): Observation[] {
  const events: Observation[] = [];
  for (const key of KEYS) {
    for (let seq = 0; seq < PER_KEY; seq++) {
      const ref = { key, seq, id: `${key}${seq}` };
      events.push({ type: 'publish', ...ref }, { type: 'confirm', ...ref });
    }
  }
  const lanes = KEYS.map((key) => Array.from({ length: PER_KEY }, (_, seq) => flightOf(key, seq)).flat());
  while (lanes.some((lane) => lane.length > 0)) {
    const lane = random.pick(lanes);
    if (lane.length > 0) events.push(lane.shift()!);
  }
  return events;
}

/** A delivery, its flight and its settlement. */
function flightOf(key: string, seq: number, epoch = EPOCH): Observation[] {
  const ref = { key, seq, id: `${key}${seq}` };
  const delivered = { ...ref, epoch, delivery: `${epoch}-${key}${seq}` };
  const flown = { ...ref, process: epoch.split(':')[0]!, epoch, flight: `${epoch}-${key}${seq}`, redelivered: false };
  return [
    { type: 'deliver', ...delivered, redelivered: false },
    { type: 'start', ...flown },
    { type: 'handled', ...flown },
    { type: 'settle', ...delivered },
  ];
}

const isOf = (type: Observation['type'], key: string, seq: number) => (event: Observation) =>
  event.type === type && 'seq' in event && event.key === key && event.seq === seq;

const withoutFlight = (events: Observation[], key: string, seq: number): Observation[] =>
  events.filter(
    (event) => !(['deliver', 'start', 'handled', 'settle'] as const).some((type) => isOf(type, key, seq)(event)),
  );

const FAULTS: Record<string, { spoil: Faulty; says: RegExp }> = {
  'a message in the middle that is never handled': {
    spoil: (events, random) => withoutFlight(events, random.pick(KEYS), random.below(PER_KEY - 1)),
    says: /a gap/,
  },
  'a last message that is never handled': {
    spoil: (events, random) => withoutFlight(events, random.pick(KEYS), PER_KEY - 1),
    says: /was confirmed and is lost/,
  },
  'two messages that change places': {
    spoil: (events, random) => {
      const key = random.pick(KEYS);
      const seq = random.below(PER_KEY - 1);
      const later = flightOf(key, seq + 1);
      const rest = withoutFlight(events, key, seq + 1);
      rest.splice(rest.findIndex(isOf('deliver', key, seq)), 0, ...later);
      return rest;
    },
    says: /a gap/,
  },
  'a flight that starts while another of its key runs': {
    spoil: (events, random) => {
      const key = random.pick(KEYS);
      const seq = random.below(PER_KEY - 1);
      const end = events.findIndex(isOf('handled', key, seq));
      const start = events.findIndex(isOf('start', key, seq + 1));
      const [late] = events.splice(end, 1);
      events.splice(start, 0, late!);
      return events;
    },
    says: /was in flight/,
  },
  'a delivery that is settled twice': {
    spoil: (events, random) => {
      const settle = events.find(isOf('settle', random.pick(KEYS), random.below(PER_KEY)))!;
      return [...events, settle];
    },
    says: /settled twice/,
  },
  'a settlement on another channel': {
    spoil: (events, random) => {
      const place = events.findIndex(isOf('settle', random.pick(KEYS), random.below(PER_KEY)));
      events[place] = { ...(events[place] as Observation & { type: 'settle' }), epoch: 'app:0/2' };
      return events;
    },
    says: /was settled in app:0\/2/,
  },
  'a settlement by the delivery of another message': {
    spoil: (events, random) => {
      const key = random.pick(KEYS);
      const seq = random.below(PER_KEY - 1);
      const place = events.findIndex(isOf('settle', key, seq));
      const other = events.find(isOf('settle', key, seq + 1)) as Observation & { type: 'settle' };
      events[place] = { ...(events[place] as Observation & { type: 'settle' }), delivery: other.delivery };
      return events;
    },
    says: /which did not bring it/,
  },
  'a settlement after the channel was lost': {
    spoil: (events, random) => {
      const place = events.findIndex(isOf('settle', random.pick(KEYS), random.below(PER_KEY)));
      events.splice(place, 0, { type: 'lost', epoch: EPOCH });
      return events;
    },
    says: /which was lost/,
  },
  'a flight that starts after its shard was lost': {
    spoil: (events, random) => {
      const key = random.pick(KEYS);
      const seq = random.below(PER_KEY);
      events.splice(events.findIndex(isOf('start', key, seq)), 0, { type: 'lost', epoch: EPOCH });
      return events;
    },
    says: /started in app:0\/1, which was lost/,
  },
  'a flight that starts after another process got its shard': {
    spoil: (events, random) => {
      const key = random.pick(KEYS);
      const [deliver] = flightOf(key, PER_KEY - 1, 'other:0/1');
      events.splice(events.findIndex(isOf('start', key, random.below(PER_KEY))), 0, deliver!);
      return events;
    },
    says: /started in app:0\/1, after another process had the shard/,
  },
  'a flight beside that of another process which did not lose the shard': {
    spoil: (events) => {
      const [deliver, start, handled] = flightOf('a', PER_KEY - 1, 'other:0/1') as [
        Observation,
        Observation,
        Observation,
      ];
      events.splice(events.findIndex(isOf('handled', 'a', PER_KEY - 1)), 0, deliver, start, handled);
      return events;
    },
    says: /was in flight, and app:0\/1 was never lost/,
  },
  'a settlement before the message was handled': {
    spoil: (events, random) => {
      const key = random.pick(KEYS);
      const seq = random.below(PER_KEY);
      const [settle] = events.splice(events.findIndex(isOf('settle', key, seq)), 1);
      events.splice(events.findIndex(isOf('start', key, seq)), 0, settle!);
      return events;
    },
    says: /settled before it was handled/,
  },
  'a message that is handled again for no reason': {
    spoil: (events, random) => [...events, ...flightOf(random.pick(KEYS), random.below(PER_KEY), 'app:0/2')],
    says: /handled 2 times/,
  },
  'a flight that never ends': {
    spoil: (events, random) => {
      const key = random.pick(KEYS);
      return events.filter(
        (event) => !isOf('handled', key, PER_KEY - 1)(event) && !isOf('settle', key, PER_KEY - 1)(event),
      );
    },
    says: /never ended/,
  },
};

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

describe('the checker of histories', () => {
  it.each(SEEDS)('takes a legal history (seed %i)', (seed) => {
    expect(run(seed)).toEqual([]);
  });

  it.each(Object.entries(FAULTS))('catches %s', (_name, { spoil, says }) => {
    for (const seed of SEEDS) expect(run(seed, spoil).join('\n')).toMatch(says);
  });

  it('takes what a killed process had not settled as a repeat, and counts it', () => {
    const events: Observation[] = [
      ...flightOf('a', 0),
      ...flightOf('a', 1).slice(0, 3),
      { type: 'crash', process: 'app' },
      ...flightOf('a', 1, 'app:0/2'),
      ...flightOf('a', 2, 'app:0/2'),
    ];
    const verdict = checkHistory(events.map((event, index) => ({ ...event, at: index * 1_000 })));
    expect(verdict).toEqual({ violations: [], duplicates: 1, mostDuplicates: 2 });
  });

  it('lets a process that lives on repeat nothing that it handled', () => {
    const events: Observation[] = [
      ...flightOf('a', 0).slice(0, 3),
      { type: 'lost', epoch: EPOCH },
      ...flightOf('a', 0, 'app:0/2'),
    ];
    const verdict = checkHistory(events.map((event, index) => ({ ...event, at: index })));
    expect(verdict.violations.join('\n')).toMatch(/a#0 was handled 2 times/);
  });

  it('lets another process repeat what one that lives on lost, while that is still in flight', () => {
    const [deliver, start, handled, settle] = flightOf('a', 1) as [Observation, Observation, Observation, Observation];
    const events: Observation[] = [
      ...flightOf('a', 0),
      deliver,
      start,
      { type: 'lost', epoch: EPOCH },
      ...flightOf('a', 0, 'other:0/1'),
      ...flightOf('a', 1, 'other:0/1'),
      handled,
    ];
    const check = (list: Observation[]) => checkHistory(list.map((event, index) => ({ ...event, at: index })));
    expect(check(events)).toEqual({ violations: [], duplicates: 1, mostDuplicates: 2 });
    // It need not have heard of it when the other one begins, but must in the end.
    const late = events.filter(({ type }) => type !== 'lost');
    expect(check([...late, { type: 'lost', epoch: EPOCH }])).toEqual({
      violations: [],
      duplicates: 1,
      mostDuplicates: 2,
    });
    expect(check(late).violations).not.toEqual([]);
    expect(check([...events, settle]).violations.join('\n')).toMatch(/which was lost/);
  });

  it('lets a move that was under way leave a copy', () => {
    const [delivered] = flightOf('a', 0) as [Observation & { type: 'deliver' }];
    const { key, seq, id, epoch, delivery } = delivered;
    const events: Observation[] = [
      delivered,
      { type: 'move', key, seq, id, epoch, delivery },
      { type: 'lost', epoch },
      ...flightOf('a', 0, 'app:0/2'),
      ...flightOf('a', 0, 'app:0/3'),
    ];
    const verdict = checkHistory(events.map((event, index) => ({ ...event, at: index })));
    expect(verdict).toEqual({ violations: [], duplicates: 1, mostDuplicates: 1 });
  });

  it('lets the successor of an abandoned flight, and of a killed process, start', () => {
    const [, start] = flightOf('a', 0) as [Observation, Observation & { type: 'start' }];
    for (const end of [
      { ...start, type: 'abandoned' },
      { type: 'crash', process: 'app' },
    ] as Observation[]) {
      const events = [start, end, ...flightOf('a', 0, 'app:0/2')];
      expect(checkHistory(events.map((event, index) => ({ ...event, at: index }))).violations).toEqual([]);
    }
  });
});
