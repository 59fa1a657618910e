import type { Seeded } from '#support/seeded.js';
import type { Promised } from '../src/checker.js';
import { idOf, type ChaosEvent, type EventOf, type MessageRef, type Observation } from '../src/events.js';

const KEYS = 6;
const SHARDS = 3;
const PLACES = ['w0', 'w1'];

interface Queued extends MessageRef {
  /** Times that its handler fails first. */
  readonly fails: number;
  readonly discarded: boolean;
}

/** Writes histories as a correct system would have left them, in a time of its own. */
export class HistoryWriter {
  readonly events: ChaosEvent[] = [];
  now = 1_000;
  private readonly lines = new Map<string, number>();
  private readonly epochs = new Map<string, number>();
  private readonly next = new Map<string, number>();
  private readonly owners = new Map<number, string>();
  private readonly queues: Queued[][] = Array.from({ length: SHARDS }, () => []);
  private readonly turns = new Map(PLACES.map((place) => [place, 1]));
  private numbers = 0;

  /** A history with kills, hand-overs, retries, discards and repeats, which breaks no promise. */
  static legal(random: Seeded): HistoryWriter {
    const writer = new HistoryWriter();
    for (let shard = 0; shard < SHARDS; shard++) writer.own(writer.process(random.pick(PLACES)), shard);
    for (let step = 0; step < 200; step++) {
      const dice = random.below(100);
      if (dice < 45) writer.publish(random);
      else if (dice < 92) writer.handle(random.below(SHARDS), random.below(12) === 0 ? 'killed' : 'settled');
      else if (dice < 96) writer.handOver(random.below(SHARDS));
      else writer.kill(writer.process(random.pick(PLACES)));
      writer.adopt();
    }
    for (let shard = 0; shard < SHARDS; shard++)
      while (writer.queues[shard]!.length > 0) writer.handle(shard, 'settled');
    writer.write('nemesis', { type: 'drained', messages: 0 });
    return writer;
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
  }

  own(process: string, shard: number): void {
    const name = `${process}:${shard}`;
    const epoch = (this.epochs.get(name) ?? 0) + 1;
    this.epochs.set(name, epoch);
    this.owners.set(shard, process);
    this.write(process, { type: 'owned', shard, epoch });
  }

  kill(process: string): void {
    this.write('nemesis', { type: 'fault', fault: 'kill', target: process });
    this.write('nemesis', { type: 'exit', target: process, how: 'killed' });
    const [place, turn] = process.split('.');
    this.turns.set(place!, Number(turn) + 1);
    for (const [shard, owner] of this.owners) if (owner === process) this.owners.delete(shard);
  }

  private process(place: string): string {
    return `${place}.${this.turns.get(place) ?? 1}`;
  }

  /** What has no owner gets one. */
  private adopt(): void {
    for (let shard = 0; shard < SHARDS; shard++) {
      if (!this.owners.has(shard)) this.own(this.process(PLACES[shard % PLACES.length]!), shard);
    }
  }

  private handOver(shard: number): void {
    const owner = this.owners.get(shard)!;
    this.write(owner, { type: 'released', shard, epoch: this.epochs.get(`${owner}:${shard}`)! });
    this.own(this.process(owner.startsWith('w0') ? 'w1' : 'w0'), shard);
  }

  private publish(random: Seeded): void {
    const index = random.below(KEYS);
    const key = `k${index}`;
    const seq = this.next.get(key) ?? 0;
    this.next.set(key, seq + 1);
    const ref = { id: idOf(key, seq), key, seq };
    this.write('publisher.1', { type: 'publish', ...ref });
    this.write('publisher.1', { type: 'confirm', ...ref });
    this.queues[index % SHARDS]!.push({
      ...ref,
      fails: random.below(4) === 0 ? 1 : 0,
      discarded: random.below(10) === 0,
    });
  }

  /** The head of a shard's queue is handled; its owner settles it, or is killed just before. */
  private handle(shard: number, then: 'settled' | 'killed'): void {
    const queue = this.queues[shard]!;
    const [head] = queue;
    if (head === undefined) return;
    const { fails, discarded, ...ref } = head;
    const process = this.owners.get(shard)!;
    const place = { shard, epoch: this.epochs.get(`${process}:${shard}`)! };
    const delivery = ++this.numbers;
    this.write(process, { type: 'deliver', ...ref, ...place, delivery, redelivered: false, fromSide: false });
    for (let attempt = 1; attempt <= fails + 1; attempt++) {
      const flown = { ...ref, ...place, flight: ++this.numbers, attempt, redelivered: false };
      const outcome = attempt <= fails ? 'failed' : discarded ? 'discarded' : 'handled';
      this.write(process, { type: 'start', ...flown });
      this.pass(4);
      this.write(process, { type: 'end', outcome, ...flown });
    }
    if (then === 'killed') {
      this.kill(process);
      return;
    }
    this.write(process, { type: discarded ? 'deadLetter' : 'settle', ...ref, ...place, delivery });
    queue.shift();
  }

  private write(process: string, observation: Observation): void {
    this.now++;
    const n = (this.lines.get(process) ?? 0) + 1;
    this.lines.set(process, n);
    this.events.push({ ...observation, process, n, mono: this.now, wall: this.now });
  }
}

interface Fault {
  readonly promise: Promised;
  /** Makes a faulty history of a legal one. */
  readonly plant: (events: readonly ChaosEvent[], random: Seeded) => ChaosEvent[];
}

const isStart = (event: ChaosEvent): event is EventOf<'start'> & { type: 'start' } => event.type === 'start';
const isEnd = (event: ChaosEvent): event is EventOf<'end'> & { type: 'end' } => event.type === 'end';
const isSettle = (event: ChaosEvent): boolean => event.type === 'settle';
const isOf = (event: ChaosEvent, id: string): boolean => 'id' in event && event.id === id;
const HANDLING = new Set(['deliver', 'start', 'end', 'settle', 'deadLetter']);

/** Moved in time by so much. */
const later = <Event extends ChaosEvent>(event: Event, milliseconds: number): Event => ({
  ...event,
  mono: event.mono + milliseconds,
});

/** A message that is the last of its key. */
function lastOfKey(events: readonly ChaosEvent[], random: Seeded): string {
  const key = random.pick(events.filter(isStart)).key;
  return events
    .filter(isStart)
    .filter((event) => event.key === key)
    .sort((a, b) => b.seq - a.seq)[0]!.id;
}

const withoutHandling = (events: readonly ChaosEvent[], id: string): ChaosEvent[] =>
  events.filter((event) => !(isOf(event, id) && HANDLING.has(event.type)));

/** A flight that went from its start to its end. */
function wholeFlight(events: readonly ChaosEvent[], random: Seeded) {
  const end = random.pick(events.filter(isEnd));
  const start = events.filter(isStart).find(({ flight, process }) => flight === end.flight && process === end.process)!;
  return { start, end };
}

export const FAULTY: Readonly<Record<string, Fault>> = {
  'a confirmed message is never handled': {
    promise: 'lost',
    plant: (events, random) => withoutHandling(events, lastOfKey(events, random)),
  },
  'a message is handled that nobody published': {
    promise: 'phantom',
    plant(events, random) {
      const { id } = random.pick(events.filter(isStart));
      return events.filter((event) => !(isOf(event, id) && event.type === 'publish'));
    },
  },
  'a message is handled under another number': {
    promise: 'phantom',
    plant(events, random) {
      const start = random.pick(events.filter(isStart));
      return events.map((event) => (event === start ? { ...start, seq: start.seq + 1_000 } : event));
    },
  },
  'a message is handled before an earlier one of its key': {
    promise: 'outOfOrder',
    plant(events, random) {
      const later = random.pick(events.filter(isStart).filter(({ seq }) => seq > 0));
      const earlier = idOf(later.key, later.seq - 1);
      const swapped = new Map([
        [later.id, { id: earlier, seq: later.seq - 1 }],
        [earlier, { id: later.id, seq: later.seq }],
      ]);
      return events.map((event) =>
        HANDLING.has(event.type) && 'id' in event ? { ...event, ...swapped.get(event.id) } : event,
      );
    },
  },
  'two flights of a key overlap in one process': {
    promise: 'overlapWithin',
    plant(events, random) {
      const { start, end } = wholeFlight(events, random);
      const second = { ...later(start, 1), flight: start.flight + 10_000 };
      return [...events, second, { ...later(end, 1), flight: end.flight + 10_000 }];
    },
  },
  'two flights of a key overlap in two processes': {
    promise: 'overlapAcross',
    plant(events, random) {
      const { start } = wholeFlight(events, random);
      return [...events, { ...later(start, 1), process: 'w9.1' }];
    },
  },
  'a flight starts in an epoch that has ended': {
    promise: 'startedInLostEpoch',
    plant(events, random) {
      const start = random.pick(events.filter(isStart));
      const { shard, epoch, process, n, wall } = start;
      const mono = start.mono - 0.5;
      return [...events, { type: random.pick(['lost', 'released'] as const), shard, epoch, process, n, wall, mono }];
    },
  },
  'a flight starts after another process got the shard': {
    promise: 'startedInLostEpoch',
    plant(events, random) {
      const { shard, wall, mono } = random.pick(events.filter(isStart));
      return [...events, { type: 'owned', shard, epoch: 1, process: 'w9.1', n: 1, wall, mono: mono - 0.5 }];
    },
  },
  'a message is settled before it is handled': {
    promise: 'settledUnhandled',
    plant(events, random) {
      const settle = random.pick(events.filter((event): event is EventOf<'settle'> => isSettle(event)));
      const first = events.filter(isStart).find((event) => event.id === settle.id)!;
      const owned = { ...settle, mono: first.mono - 0.5, delivery: deliveryBefore(events, first) };
      return events.map((event) => (event === settle ? owned : event));
    },
  },
  'a message is settled for an epoch that has ended': {
    promise: 'settledInLostEpoch',
    plant(events, random) {
      const { shard, epoch, process, n, wall, mono } = random.pick(
        events.filter((event): event is EventOf<'settle'> => isSettle(event)),
      );
      return [...events, { type: 'lost', shard, epoch, process, n, wall, mono: mono - 0.5 }];
    },
  },
  'a message is settled by a delivery that did not bring it': {
    promise: 'settledUnhandled',
    plant(events, random) {
      const settle = random.pick(events.filter((event): event is EventOf<'settle'> => isSettle(event)));
      return events.map((event) => (event === settle ? { ...settle, delivery: 99_999 } : event));
    },
  },
  'a message is handled again without a fault': {
    promise: 'unexplainedDuplicate',
    plant(events, random) {
      const { start, end } = wholeFlight(events, random);
      const again = Array.from({ length: 20 }, (_, i) => {
        const flight = 10_000 + i;
        const mono = end.mono + 0.02 * i;
        const handled = { ...end, outcome: 'handled' as const };
        return [
          { ...start, flight, mono: mono + 0.005 },
          { ...handled, flight, mono: mono + 0.01 },
        ];
      });
      return [...events, ...again.flat()];
    },
  },
  'a key does not come to rest': {
    promise: 'stuck',
    plant(events, random) {
      const left = withoutHandling(events, lastOfKey(events, random));
      return left.map((event) => (event.type === 'drained' ? { ...event, type: 'stuck', messages: 1 } : event));
    },
  },
  'a process ends by itself': {
    promise: 'crashed',
    plant: (events) =>
      events.map((event) =>
        event.type === 'drained' ? { ...event, type: 'exit', target: 'w0.1', how: 'crashed' } : event,
      ),
  },
};

function deliveryBefore(events: readonly ChaosEvent[], start: EventOf<'start'>): number {
  const deliveries = events.filter(
    (event): event is EventOf<'deliver'> => event.type === 'deliver' && event.id === start.id,
  );
  return deliveries.find(({ process }) => process === start.process)!.delivery;
}
