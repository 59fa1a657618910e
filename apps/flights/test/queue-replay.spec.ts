import type { MississippiEvent, PublishOptions } from '@mississippi/core';
import { lastValueFrom, Subject, tap, toArray } from 'rxjs';
import type { Flight } from '../src/flight.js';
import { QueueReplay } from '../src/queue-replay.js';
import type { ReplayStep } from '../src/replay-step.js';
import { flight } from './flights.js';

/** A broker whose confirms the test gives. */
class ManualProducer {
  readonly published: { row: number; key: unknown; messageId: string | undefined }[] = [];
  private readonly confirms = new Map<number, PromiseWithResolvers>();

  async publish(payload: unknown, { shardingKey, messageId }: PublishOptions): Promise<void> {
    const { row } = payload as Flight;
    this.published.push({ row, key: shardingKey, messageId });
    await new Promise<void>((resolve, reject) => this.confirms.set(row, { resolve, reject }));
  }

  async confirm(row: number): Promise<void> {
    this.confirms.get(row)?.resolve();
    await new Promise(setImmediate);
  }

  async refuse(row: number): Promise<void> {
    this.confirms.get(row)?.reject(new Error(`row ${row} was refused`));
    await new Promise(setImmediate);
  }

  get rows(): number[] {
    return this.published.map(({ row }) => row);
  }

  idOf(row: number): string | undefined {
    return this.published.find((one) => one.row === row)?.messageId;
  }
}

interface PromiseWithResolvers {
  resolve(): void;
  reject(error: Error): void;
}

const flights = [
  flight({ row: 1, origin: 'ORD' }),
  flight({ row: 2, origin: 'ORD' }),
  flight({ row: 3, origin: 'DFW' }),
];

describe('The replay through queues', () => {
  let producer: ManualProducer;
  let events: Subject<MississippiEvent>;
  let replay: QueueReplay;
  let steps: ReplayStep[];
  let ended: boolean;

  beforeEach(() => {
    producer = new ManualProducer();
    events = new Subject();
    steps = [];
    ended = false;
  });

  function start(unconfirmed = 10): Promise<unknown> {
    replay = new QueueReplay(producer, events, 'ours', unconfirmed);
    const flow = replay.start(flights).pipe(tap({ next: (step) => steps.push(step), complete: () => (ended = true) }));
    return lastValueFrom(flow.pipe(toArray()));
  }

  function settled(messageId: string | undefined, type: 'handled' | 'skipped' | 'attemptStarted' = 'handled'): void {
    events.next({ type, key: 'ORD', shard: 0, epoch: 1, messageId, attempt: 1 });
  }

  it('publishes in the order of the file, under the airport, without waiting for confirms', async () => {
    const end = start();
    expect(producer.published.map(({ row, key }) => [row, key])).toEqual([
      [1, 'ORD'],
      [2, 'ORD'],
      [3, 'DFW'],
    ]);
    for (const { row, messageId } of producer.published) {
      await producer.confirm(row);
      settled(messageId);
    }
    await end;
  });

  it('has no more unconfirmed than it was told', async () => {
    const end = start(2);
    expect(producer.rows).toEqual([1, 2]);
    await producer.confirm(2);
    expect(producer.rows).toEqual([1, 2, 3]);
    for (const row of [1, 3]) await producer.confirm(row);
    for (const row of [1, 2, 3]) settled(producer.idOf(row));
    await end;
  });

  it('ends when all are published and all of its own are handled, once each', async () => {
    const end = start();
    // Before its confirm, and by a broker that delivers twice.
    settled(producer.idOf(1));
    settled(producer.idOf(1));
    settled(producer.idOf(2), 'attemptStarted');
    settled(undefined);
    for (const row of [1, 2, 3]) await producer.confirm(row);
    settled(producer.idOf(3));
    expect(steps).toEqual(['handled', 'published', 'published', 'published', 'handled']);
    expect(ended).toBe(false);
    settled(producer.idOf(2), 'skipped');
    await end;
    expect(steps.at(-1)).toBe('handled');
  });

  it('gives a flight the same id in each run of the same name', async () => {
    const end = start();
    expect(producer.published.map(({ messageId }) => messageId)).toEqual(['ours:1', 'ours:2', 'ours:3']);
    for (const { row, messageId } of producer.published) {
      await producer.confirm(row);
      settled(messageId);
    }
    await end;
  });

  it('counts what was left of earlier runs, before it starts too', async () => {
    replay = new QueueReplay(producer, events, 'ours');
    settled('of an earlier run');
    const end = lastValueFrom(replay.start(flights).pipe(toArray()));
    settled('of another');
    for (const row of [1, 2, 3]) {
      await producer.confirm(row);
      settled(producer.idOf(row));
      settled(producer.idOf(row));
    }
    expect(await end).toHaveLength(6);
    settled('of a later run');
    expect(replay.leftOver).toBe(2);
    expect(events.observed).toBe(false);
  });

  it('ends at the first flight that cannot be published', async () => {
    const end = start();
    await Promise.all([expect(end).rejects.toThrow('row 2 was refused'), producer.refuse(2)]);
  });
});
