import { inspectKey, type ShardConsumer, type ShardSession } from '@mississippi/core/transport';
import { Journal, ShardRecorder } from '@mississippi/testing/transport';
import { memory, MemoryBroker, PublishTimeoutError } from '../../src/index.js';
import { FakeClock, settled } from '../support/fake-clock.js';

const logger = { log: () => undefined, warn: () => undefined, error: () => undefined };

function connect(broker: MemoryBroker, clock: FakeClock) {
  return memory({ broker, prefetch: 10 }).connect({ instance: 'test', logger, clock, keyText: inspectKey });
}

function brokerOf(options: { totalCount?: number; capacity?: number } = {}): MemoryBroker {
  return new MemoryBroker({ totalCount: 2, capacity: 100, deadLetterLimit: 10, ...options });
}

function message(shard: number) {
  return { shard, key: Buffer.of(131, 97, 1), body: Buffer.of(), headers: {}, messageId: 'm', timestamp: 0 };
}

describe('the embedded broker', () => {
  test.each([
    ['loses', (broker: MemoryBroker) => broker.loseShard(2)],
    ['counts', (broker: MemoryBroker) => broker.parkedCount(-1)],
    ['fills', (broker: MemoryBroker) => broker.inject(0.5, { body: Buffer.of() })],
  ])('%s no shard that it does not have', (_what, act) => {
    expect(() => act(brokerOf())).toThrow(RangeError);
    expect(() => act(brokerOf())).toThrow('they go from 0 to 1');
  });

  test('takes what is injected, however full and blocked it is', async () => {
    const broker = brokerOf({ capacity: 1 });
    broker.block();
    for (let count = 0; count < 3; count++) broker.inject(0, { body: Buffer.of(count) });
    expect(broker.length).toBe(3);
  });

  test('goes by the clock of whoever publishes', async () => {
    const [broker, clock] = [brokerOf(), new FakeClock()];
    const { publisher } = await connect(broker, clock);
    broker.block();
    let error: unknown;
    publisher.publish(message(0), 1_000).catch((reason: unknown) => (error = reason));
    await clock.advance(999);
    expect(error).toBeUndefined();
    await clock.advance(1);
    expect(error).toBeInstanceOf(PublishTimeoutError);
    expect(clock.pending).toBe(0);
    broker.unblock();
    expect(broker.length).toBe(0);
  });
});

describe('a publish that was not taken in time', () => {
  const collect = (globalThis as { gc?: () => void }).gc!;

  test('is not kept for as long as the broker takes nothing', async () => {
    const [broker, clock] = [brokerOf(), new FakeClock()];
    const { publisher } = await connect(broker, clock);
    broker.block();
    const bodies: WeakRef<Uint8Array>[] = [];
    const publishOne = (): Promise<unknown> => {
      const body = Buffer.alloc(100_000);
      bodies.push(new WeakRef(body));
      return publisher.publish({ ...message(0), body }, 1_000).catch((error: unknown) => error);
    };
    const waits = publisher.publish(message(1), Infinity);
    const ended = Array.from({ length: 100 }, publishOne);
    await clock.advance(1_000);
    for (const end of ended) expect(await end).toBeInstanceOf(PublishTimeoutError);
    await settled();
    collect();
    expect(bodies.filter((body) => body.deref() !== undefined)).toHaveLength(0);
    broker.unblock();
    await waits;
    expect(broker.length).toBe(1);
  });

  test('leaves the others in their order', async () => {
    const [broker, clock] = [brokerOf({ totalCount: 1 }), new FakeClock()];
    const { publisher } = await connect(broker, clock);
    broker.block();
    const ended = Array.from({ length: 30 }, (_, index) => {
      const timeout = index % 3 === 0 ? Infinity : 100 * index;
      return publisher.publish({ ...message(0), messageId: String(index) }, timeout).catch(() => undefined);
    });
    await clock.advance(2_500);
    broker.unblock();
    await Promise.all(ended);
    const recorder = new ShardRecorder({ name: 'A', journal: new Journal(1_000), prefetch: 100 });
    await (await connect(broker, clock)).consume(recorder);
    const session = await recorder.session(0);
    const left = await session.received(10);
    const expected = ['0', '3', '6', '9', '12', '15', '18', '21', '24', '26', '27', '28', '29'];
    expect(left.map(({ messageId }) => messageId)).toEqual(expected.slice(0, 10));
    expect(broker.length).toBe(expected.length);
  });
});

describe('a shard of the embedded broker that cannot be opened', () => {
  /** A consumer that opens nothing. */
  function refusing() {
    const asked: ShardSession[] = [];
    const consumer: ShardConsumer = {
      open: (session) => {
        asked.push(session);
        return Promise.reject(new Error('the store is away'));
      },
    };
    return { asked, consumer };
  }

  test('rests for a second before it is offered again', async () => {
    const clock = new FakeClock();
    const connection = await connect(brokerOf({ totalCount: 1 }), clock);
    const { asked, consumer } = refusing();
    await connection.consume(consumer);
    await clock.advance(999);
    expect(asked).toHaveLength(1);
    expect(connection.status().shards).toBe(0);
    await clock.advance(1);
    expect(asked).toHaveLength(2);
    await clock.advance(3_000);
    expect(asked).toHaveLength(5);
  });

  test('is not offered to a connection that was closed meanwhile', async () => {
    const clock = new FakeClock();
    const connection = await connect(brokerOf({ totalCount: 1 }), clock);
    const { asked, consumer } = refusing();
    await connection.consume(consumer);
    await settled();
    await connection.close();
    await clock.advance(10_000);
    expect(asked).toHaveLength(1);
  });

  test('goes to another connection at once when the first claims no more, and stays there', async () => {
    const [broker, clock] = [brokerOf({ totalCount: 1 }), new FakeClock()];
    const first = await connect(broker, clock);
    await first.consume(refusing().consumer);
    await settled();
    first.stopClaiming();
    const recorder = new ShardRecorder({ name: 'B', journal: new Journal(1_000), prefetch: 10 });
    const second = await connect(broker, clock);
    await second.consume(recorder);
    expect(recorder.owned).toHaveLength(1);
    await clock.advance(5_000);
    expect(recorder.owned).toHaveLength(1);
    expect(recorder.sessions).toHaveLength(1);
  });
});
