import type { Seeded } from '#support/seeded.js';
import type { EventOf, HistoryEvent, Observation, Promised } from '../src/index.js';

interface Fault {
  readonly promise: Promised;
  /** Makes a faulty history of a legal one. */
  readonly plant: (events: readonly HistoryEvent[], random: Seeded) => HistoryEvent[];
}

type Type = Observation['type'];

const HANDLING = new Set<Type>(['delivered', 'started', 'ended', 'settled', 'deadLettering', 'deadLettered']);
const isOf = (event: HistoryEvent, id: string): boolean => 'id' in event && event.id === id;

function all<T extends Type>(events: readonly HistoryEvent[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> & HistoryEvent => event.type === type);
}

const attempts = (events: readonly HistoryEvent[]): EventOf<'started'>[] =>
  all(events, 'started').filter(({ callback }) => callback === 'handleMessage');

/** An attempt from its start to its end. */
function attempt(events: readonly HistoryEvent[], random: Seeded, isWanted = (_end: EventOf<'ended'>) => true) {
  const ends = all(events, 'ended').filter((end) => end.callback === 'handleMessage' && isWanted(end));
  const end = random.pick(ends);
  const start = attempts(events).find(({ run, process }) => run === end.run && process === end.process)!;
  return { start, end };
}

/** A message that was settled without a dead letter. */
const settlement = (events: readonly HistoryEvent[], random: Seeded): EventOf<'settled'> =>
  random.pick(all(events, 'settled').filter(({ type }) => type === 'settled'));

/** The same, so many milliseconds later. */
const later = <T extends HistoryEvent>(event: T, milliseconds: number): T => ({
  ...event,
  mono: event.mono + milliseconds,
});

/** Something more that the process of an event saw, shortly before or after it. */
function beside(event: HistoryEvent, milliseconds: number, observation: Observation): HistoryEvent {
  const { process, n, wall, mono } = event;
  return { ...observation, process, n, wall, mono: mono + milliseconds };
}

const epochOf = ({ shard, epoch }: { shard: number; epoch: number }) => ({ shard, epoch });

const swap = (events: readonly HistoryEvent[], one: object, other: HistoryEvent): HistoryEvent[] =>
  events.map((event) => (event === one ? other : event));

/** A message that is the last of its key. */
function lastOfKey(events: readonly HistoryEvent[], random: Seeded): string {
  const { key } = random.pick(attempts(events));
  return attempts(events)
    .filter((event) => event.key === key)
    .sort((a, b) => b.seq - a.seq)[0]!.id;
}

const withoutHandling = (events: readonly HistoryEvent[], id: string): HistoryEvent[] =>
  events.filter((event) => !(isOf(event, id) && HANDLING.has(event.type)));

/** Another attempt at the same, by the same process or another. */
function again({ start, end }: ReturnType<typeof attempt>, milliseconds: number, more: object = {}): HistoryEvent[] {
  const run = start.run + 10_000;
  return [
    { ...later(start, milliseconds), run, ...more },
    { ...later(end, milliseconds), run, ...more },
  ];
}

/** What a start meets that was put just before it. */
const beforeStart =
  (...observations: ((start: EventOf<'started'>) => Observation)[]): Fault['plant'] =>
  (events, random) => {
    const start = random.pick(attempts(events));
    return [...events, ...observations.map((make) => beside(start, -0.5, make(start)))];
  };

export const FAULTY: Readonly<Record<string, Fault>> = {
  'a confirmed message is never handled': {
    promise: 'lost',
    plant: (events, random) => withoutHandling(events, lastOfKey(events, random)),
  },
  'a message in the middle is never handled': {
    promise: 'outOfOrder',
    plant(events, random) {
      const { key, seq } = random.pick(attempts(events).filter(({ seq }) => seq > 0));
      return withoutHandling(events, `${key}#${seq - 1}`);
    },
  },
  'a handled message is never settled': {
    promise: 'unsettled',
    plant(events, random) {
      const { id } = settlement(events, random);
      return events.filter((event) => !(isOf(event, id) && event.type === 'settled'));
    },
  },
  'a message is handled that nobody published': {
    promise: 'phantom',
    plant(events, random) {
      const { id } = random.pick(attempts(events));
      return events.filter((event) => !(isOf(event, id) && event.type === 'published'));
    },
  },
  'a message is handled under another number': {
    promise: 'phantom',
    plant(events, random) {
      const start = random.pick(attempts(events));
      return swap(events, start, { ...start, seq: start.seq + 1_000 });
    },
  },
  'a message is handled before an earlier one of its key': {
    promise: 'outOfOrder',
    plant(events, random) {
      const { key, seq, id } = random.pick(attempts(events).filter(({ seq }) => seq > 0));
      const earlier = { id: `${key}#${seq - 1}`, seq: seq - 1 };
      const swapped = new Map([
        [id, earlier],
        [earlier.id, { id, seq }],
      ]);
      return events.map((event) =>
        HANDLING.has(event.type) && 'id' in event ? { ...event, ...swapped.get(event.id) } : event,
      );
    },
  },
  'an attempt overtakes what was delivered before it': {
    promise: 'overtaking',
    plant(events, random) {
      const start = random.pick(attempts(events).filter(({ attempt }) => attempt === 1));
      const earlier = { id: `${start.key}#999`, key: start.key, seq: 999 };
      const delivered = all(events, 'delivered').find(
        ({ id, process }) => id === start.id && process === start.process,
      )!;
      const published = { type: 'published', ...earlier } as const;
      const other = { ...delivered, ...earlier, delivery: 99_999, mono: delivered.mono - 0.3 };
      return [...events, beside(delivered, -0.5, published), other];
    },
  },
  'an attempt is at what its epoch was not given': {
    promise: 'overtaking',
    plant(events, random) {
      const { id } = random.pick(attempts(events));
      return events.filter((event) => !(isOf(event, id) && event.type === 'delivered'));
    },
  },
  'two attempts of a key overlap in one process': {
    promise: 'overlapWithin',
    plant: (events, random) => [...events, ...again(attempt(events, random), 1)],
  },
  'two attempts of a key overlap in two processes': {
    promise: 'overlapAcross',
    plant: (events, random) => [...events, ...again(attempt(events, random), 1, { process: 'w9.1' })],
  },
  'two attempts overlap in two processes, of which the struck one does not lose the shard': {
    promise: 'overlapAcross',
    plant(events, random) {
      const { start, end } = attempt(events, random);
      const elsewhere = { shard: 9, epoch: 1 };
      const stall = beside(start, 0.2, { type: 'fault', fault: 'stall', target: 'w8.1' });
      const both = ['w8.1', 'w9.1'].flatMap((process) => again({ start, end }, 0.1, { process, ...elsewhere }));
      return [...events, ...both.map((event, i) => later(event, i)), stall];
    },
  },
  'an attempt never ends': {
    promise: 'neverEnded',
    plant(events) {
      const { process, run } = attempts(events).at(-1)!;
      return events.filter((event) => !(event.type === 'ended' && event.process === process && event.run === run));
    },
  },
  'an attempt outlives its process': {
    promise: 'neverEnded',
    plant(events, random) {
      const { start } = attempt(events, random);
      return [...events, beside(start, 0.5, { type: 'exited', target: start.process, how: 'left' })];
    },
  },
  'a shard is opened while another process owns it': {
    promise: 'twoOwners',
    plant(events, random) {
      const owned = random.pick(all(events, 'owned').filter(({ type }) => type === 'owned'));
      return [...events, { ...later(owned, 0.5), process: 'w9.1' }];
    },
  },
  'an epoch is opened twice': {
    promise: 'twoOwners',
    plant: (events, random) => [
      ...events,
      later(random.pick(all(events, 'owned').filter(({ type }) => type === 'owned')), 1),
    ],
  },
  'an attempt starts in an epoch that was lost': {
    promise: 'startedInLostEpoch',
    plant: beforeStart((start) => ({ type: 'lost', ...epochOf(start) })),
  },
  'an attempt starts in an epoch that was released': {
    promise: 'startedInLostEpoch',
    plant: beforeStart((start) => ({ type: 'released', ...epochOf(start) })),
  },
  'an attempt starts after another process got the shard': {
    promise: 'startedInLostEpoch',
    plant(events, random) {
      const start = random.pick(attempts(events));
      const owned = beside(start, -0.5, { type: 'owned', shard: start.shard, epoch: 1 });
      return [...events, { ...owned, process: 'w9.1' }];
    },
  },
  'an attempt starts in an epoch that closes': {
    promise: 'startedWhileReleasing',
    plant: beforeStart((start) => ({ type: 'releasing', ...epochOf(start) })),
  },
  'an attempt starts while the ownership is uncertain': {
    promise: 'startedUnassured',
    plant: beforeStart((start) => ({ type: 'suspended', ...epochOf(start) })),
  },
  'a message is delivered in an epoch that was lost': {
    promise: 'deliveredInLostEpoch',
    plant(events, random) {
      const delivered = random.pick(all(events, 'delivered'));
      return [...events, beside(delivered, -0.5, { type: 'lost', ...epochOf(delivered) })];
    },
  },
  'a message is settled before it is handled': {
    promise: 'settledUnhandled',
    plant(events, random) {
      const settled = settlement(events, random);
      const first = attempts(events).find(({ id }) => id === settled.id)!;
      const { delivery } = all(events, 'delivered').find(
        ({ id, process }) => id === first.id && process === first.process,
      )!;
      return swap(events, settled, { ...settled, mono: first.mono - 0.5, delivery });
    },
  },
  'a message is settled for an epoch that was lost': {
    promise: 'settledInLostEpoch',
    plant(events, random) {
      const settled = settlement(events, random);
      return [...events, beside(settled, -0.5, { type: 'lost', ...epochOf(settled) })];
    },
  },
  'a message is settled in another epoch than the one that brought it': {
    promise: 'settledInLostEpoch',
    plant(events, random) {
      const settled = settlement(events, random);
      return swap(events, settled, { ...settled, epoch: settled.epoch + 1_000 });
    },
  },
  'a message is settled by a delivery that did not bring it': {
    promise: 'settledUnhandled',
    plant(events, random) {
      const settled = settlement(events, random);
      return swap(events, settled, { ...settled, delivery: 99_999 });
    },
  },
  'a delivery is settled twice': {
    promise: 'settledTwice',
    plant: (events, random) => [...events, later(settlement(events, random), 0.5)],
  },
  'a message goes to the dead letters for no reason': {
    promise: 'unjustifiedDeadLetter',
    plant(events, random) {
      const {
        type: _type,
        process: _process,
        n: _n,
        mono: _mono,
        wall: _wall,
        ...delivered
      } = settlement(events, random);
      const settled = events.find((event) => isOf(event, delivered.id) && event.type === 'settled')!;
      const reason = random.pick(['discarded', 'attempts_exhausted', 'payload_undecodable', 'dropped']);
      return [...events, beside(settled, -0.5, { type: 'deadLettering', ...delivered, reason })];
    },
  },
  'an attempt is at what cannot be decoded': {
    promise: 'undecodable',
    plant(events, random) {
      const { id } = random.pick(attempts(events));
      return events.map((event) =>
        event.type === 'published' && event.id === id ? { ...event, garbled: true } : event,
      );
    },
  },
  'a message is attempted once too often': {
    promise: 'tooManyAttempts',
    plant(events, random) {
      const one = attempt(events, random);
      return [...events, ...[0.1, 0.2, 0.3].flatMap((milliseconds) => again(one, milliseconds))];
    },
  },
  'a callback runs on a state of another epoch': {
    promise: 'foreignState',
    plant(events, random) {
      const start = random.pick(attempts(events));
      return swap(events, start, { ...start, epoch: start.epoch + 1_000 });
    },
  },
  'a callback runs on an old state': {
    promise: 'foreignState',
    plant(events, random) {
      const start = random.pick(attempts(events));
      return swap(events, start, { ...start, state: start.state! - 1 });
    },
  },
  'a message is attempted though the data updater is to end': {
    promise: 'foreignState',
    plant(events, random) {
      const one = attempt(events, random, ({ outcome }) => outcome === 'failed');
      return [...events, ...again(one, 4.6).map((event, i) => ({ ...event, mono: one.end.mono + 0.1 + 0.1 * i }))];
    },
  },
  'a data updater is doubled': {
    promise: 'foreignState',
    plant(events, random) {
      const init = random.pick(all(events, 'ended').filter(({ callback }) => callback === 'init'));
      const start = all(events, 'started').find(({ run, process }) => run === init.run && process === init.process)!;
      return [
        ...events,
        { ...start, mono: init.mono + 0.1, run: 99_999 },
        { ...init, mono: init.mono + 0.2, run: 99_999 },
      ];
    },
  },
  'a data updater is never terminated': {
    promise: 'neverTerminated',
    plant(events) {
      const last = all(events, 'started').findLast(({ callback }) => callback === 'terminate')!;
      return events.filter((event) => !('run' in event && event.run === last.run && event.process === last.process));
    },
  },
  'a message is handled again without a fault': {
    promise: 'unexplainedDuplicate',
    plant(events, random) {
      const { start, end } = attempt(events, random, ({ outcome }) => outcome === 'ok');
      const rounds = Array.from({ length: 20 }, (_, i) => {
        const run = 10_000 + i;
        const mono = end.mono + 0.02 * i;
        return [
          { ...start, run, mono: mono + 0.005 },
          { ...end, run, mono: mono + 0.01 },
        ];
      });
      return [...events, ...rounds.flat()];
    },
  },
  'a key does not come to rest': {
    promise: 'stuck',
    plant(events, random) {
      const left = withoutHandling(events, lastOfKey(events, random));
      return left.map((event) => (event.type === 'drained' ? { ...event, type: 'stuck', messages: 1 } : event));
    },
  },
  'a publisher is told that its message was not taken': {
    promise: 'refused',
    plant(events, random) {
      const { process, n, mono, wall, id, key, seq } = random.pick(all(events, 'confirmed'));
      return [...events, { type: 'refused', id, key, seq, process, n, wall, mono: mono + 0.1 }];
    },
  },
  'a queue does not come back': {
    promise: 'missing',
    plant: (events) => [...events, beside(events.at(-1)!, 1, { type: 'missing', queue: 'meta', text: 'is not there' })],
  },
  'the broker takes a delivery back': {
    promise: 'tookBack',
    plant: (events) => [...events, beside(events.at(-1)!, 1, { type: 'tookBack', text: 'timed out' })],
  },
  'a process ends by itself': {
    promise: 'crashed',
    plant: (events) => [...events, beside(events.at(-1)!, 1, { type: 'exited', target: 'w0.1', how: 'crashed' })],
  },
};
