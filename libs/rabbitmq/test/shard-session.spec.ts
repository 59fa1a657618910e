import { EventEmitter } from 'node:events';
import type { ConsumeMessage } from 'amqplib';
import { FakeClock, settled } from '../../core/test/support/fake-clock.js';
import { RabbitShardSession, type SessionParts } from '../src/sessions/shard-session.js';
import { ConsumerTags } from '../src/topology/consumer-tags.js';
import { QueueNames } from '../src/topology/queue-names.js';
import { RabbitDelivery } from '../src/wire/rabbit-delivery.js';

/** A channel of a broker that says nothing, or nacks everything. */
class FakeChannel extends EventEmitter {
  close(): Promise<void> {
    return new Promise(() => undefined);
  }

  cancel(): Promise<never> {
    return new Promise(() => undefined);
  }

  publish(...[, , , , confirm]: [string, string, Buffer, unknown, (error: Error) => void]): boolean {
    confirm(new Error('message nacked'));
    return true;
  }
}

function setUp() {
  const clock = new FakeClock();
  let freed = 0;
  const side = { flush: () => undefined, end: () => undefined };
  const parts = {
    shard: 3,
    channel: new FakeChannel(),
    side,
    publisher: { probe: () => Promise.resolve() },
    names: new QueueNames('river_'),
    tags: new ConsumerTags('me'),
    prefetch: 10,
    frameMax: 131_072,
    clock,
    unanswered: () => undefined,
    freed: () => Promise.resolve(void freed++),
  };
  return { clock, freed: () => freed, session: new RabbitShardSession(parts as unknown as SessionParts) };
}

test('closing waits three seconds for a broker that says nothing', async () => {
  const { clock, freed, session } = setUp();
  const closing = session.close();
  await clock.advance(2_999);
  await settled();
  expect(freed()).toBe(0);
  await clock.advance(1);
  await closing;
  expect(freed()).toBe(1);
});

test('a side queue that refuses what is moved is named, with what to do', async () => {
  const { session } = setUp();
  const properties = { headers: {} };
  const message = { fields: { deliveryTag: 1, redelivered: false }, properties, content: Buffer.from('1') };
  const delivery = new RabbitDelivery(message as ConsumeMessage, false);
  await expect(session.park(delivery, 'held', {})).rejects.toThrow(/no longer owned/);
  expect(session.lostBy?.message).toBe(
    "the side queue 'river_3.parked' refuses messages: exempt it from policies that limit its length (max-length, overflow)",
  );
});
