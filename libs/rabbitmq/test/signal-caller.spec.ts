import { EventEmitter } from 'node:events';
import { encodeShardingKey, NoOwnerError, SignalTimeoutError } from '@mississippi/core';
import type { ConsumeMessage } from 'amqplib';
import { FakeClock, settled } from '../../core/test/support/fake-clock.js';
import type { BrokerConnection } from '../src/connection/broker-connection.js';
import { SignalCaller } from '../src/signals/signal-caller.js';
import { encodeReply, type SignalReply } from '../src/signals/signal-messages.js';
import { QueueNames } from '../src/topology/queue-names.js';

/** A signal with a time-out of 1 s, on a broker that the test plays. */
async function send({ consumers }: { readonly consumers: number }) {
  const clock = new FakeClock();
  const sent: string[] = [];
  let deliver!: (message: ConsumeMessage) => void;
  const channel = Object.assign(new EventEmitter(), {
    consume: (_queue: string, take: typeof deliver) => Promise.resolve(void (deliver = take)),
    publish: (_exchange: string, _queue: string, _body: Buffer, properties: { correlationId: string }) =>
      sent.push(properties.correlationId),
    checkQueue: () => Promise.resolve({ queue: '', messageCount: 0, consumerCount: consumers }),
    close: () => Promise.resolve(),
  });
  const connection = { current: { createChannel: () => Promise.resolve(channel) }, on: () => undefined };
  const caller = new SignalCaller(
    connection as unknown as BrokerConnection,
    new QueueNames('river_'),
    1_000,
    clock,
    () => '"k"',
    () => undefined,
  );
  let end: unknown;
  caller.send(0, encodeShardingKey('k'), Buffer.alloc(1), 1_000, []).then(
    (answer) => (end = answer),
    (error: unknown) => (end = error),
  );
  await settled();
  const reply = async (content: SignalReply): Promise<void> => {
    const address = content.kind === 'started' ? { replyTo: content.address } : {};
    const properties = { correlationId: sent.at(-1), type: content.kind, ...address };
    deliver({ properties, content: encodeReply(content) } as unknown as ConsumeMessage);
    await settled();
  };
  return { clock, sent, reply, end: () => end };
}

const started = { kind: 'started', address: 'p' } as const;

describe('a caller whose time is over', () => {
  test('is told that nobody knows, where the owner says nothing', async () => {
    const { clock, end } = await send({ consumers: 1 });
    await clock.advance(1_199);
    expect(end()).toBeUndefined();
    await clock.advance(1);
    expect(end()).toBeInstanceOf(SignalTimeoutError);
    expect(end()).toMatchObject({ started: undefined });
  });

  test.each<[string, SignalReply, unknown]>([
    ['it started', started, { started: true }],
    ['it will not start', { kind: 'returned' }, { started: false }],
    ['the answer', { kind: 'answer', answer: Buffer.from('yes') }, Buffer.from('yes')],
  ])('is told at once what the owner says a little late: %s', async (_, word, told) => {
    const { clock, reply, end, sent } = await send({ consumers: 1 });
    await clock.advance(1_150);
    expect(end()).toBeUndefined();
    await reply(word);
    expect(end()).toMatchObject(told as object);
    expect(sent).toHaveLength(1);
  });

  test('is told without delay where the owner said before that it started', async () => {
    const { clock, reply, end } = await send({ consumers: 1 });
    await reply(started);
    await clock.advance(1_000);
    expect(end()).toMatchObject({ code: 'signal_timeout', started: true });
  });

  test('is told that nobody reads the requests of the shard', async () => {
    const { clock, end } = await send({ consumers: 0 });
    await clock.advance(1_000);
    expect(end()).toBeInstanceOf(NoOwnerError);
  });
});

test('what an owner returns in time is sent again', async () => {
  const { clock, reply, sent, end } = await send({ consumers: 1 });
  await clock.advance(500);
  await reply({ kind: 'returned' });
  expect(new Set(sent).size).toBe(2);
  await reply({ kind: 'answer', answer: Buffer.from('yes') });
  expect(end()).toEqual(Buffer.from('yes'));
});
