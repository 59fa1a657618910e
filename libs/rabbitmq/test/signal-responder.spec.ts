import { EventEmitter } from 'node:events';
import { encodeShardingKey } from '@mississippi/core';
import type { ShardReceiver } from '@mississippi/core/transport';
import type { Channel, ConsumeMessage } from 'amqplib';
import { FakeClock, settled } from '../../core/test/support/fake-clock.js';
import type { BrokerConnection } from '../src/connection/broker-connection.js';
import { SignalResponder } from '../src/signals/signal-responder.js';
import { requestProperties } from '../src/signals/signal-messages.js';
import { ConsumerTags } from '../src/topology/consumer-tags.js';
import { QueueNames } from '../src/topology/queue-names.js';

/** One request that came while the broker took nothing, and what became of it. */
async function ask() {
  const clock = new FakeClock();
  const said: unknown[] = [];
  const replies = Object.assign(new EventEmitter(), {
    consume: () => Promise.resolve(),
    publish: (_exchange: string, _queue: string, _body: Buffer, properties: { type: string }) =>
      said.push(properties.type),
  });
  const current = { createChannel: () => Promise.resolve(replies) };
  const connection = { blocked: true, current, on: () => undefined };
  const [started, acked]: [number[], number[]] = [[], []];
  const topology = { names: new QueueNames('river_'), tags: new ConsumerTags('me') };
  const responder = new SignalResponder(
    connection as unknown as BrokerConnection,
    topology,
    1_000,
    clock,
    () => undefined,
  );
  const receiver = {
    signal: (_key: Uint8Array, _signal: Uint8Array, timeout: number, start: () => void) => {
      started.push(timeout);
      start();
      return Promise.resolve(Buffer.alloc(1));
    },
  } as unknown as ShardReceiver;
  let deliver!: (message: ConsumeMessage) => void;
  const channel = {
    consume: (_queue: string, take: typeof deliver) => Promise.resolve(void (deliver = take)),
  } as unknown as Channel;
  const owner = { receiver, requested: (tag: number) => () => void acked.push(tag) };
  await responder.serve(channel, 0, owner, () => undefined);
  const properties = requestProperties('1', {
    key: encodeShardingKey('k'),
    timeout: 1_000,
    deadline: undefined,
    waiting: [],
  });
  deliver({
    fields: { deliveryTag: 7, redelivered: false },
    properties: { ...properties, replyTo: 'caller', expiration: String(properties.expiration) },
    content: Buffer.alloc(1),
  } as unknown as ConsumeMessage);
  await settled();
  return { clock, connection, started, acked, said };
}

test('while the broker takes nothing, so that no answer would arrive, no signal starts', async () => {
  const { clock, connection, started, acked } = await ask();
  await clock.advance(400);
  expect(started).toEqual([]);
  expect(acked).toEqual([]);
  connection.blocked = false;
  await clock.advance(50);
  expect(started).toHaveLength(1);
  expect(started[0]).toBeLessThanOrEqual(600);
  expect(acked).toContain(7);
});

test('one whose time runs out meanwhile never starts, and its caller hears that', async () => {
  const { clock, connection, started, acked, said } = await ask();
  await clock.advance(1_000);
  connection.blocked = false;
  await clock.advance(100);
  expect(started).toEqual([]);
  expect(acked).toEqual([7]);
  expect(said).toEqual(['returned']);
});
