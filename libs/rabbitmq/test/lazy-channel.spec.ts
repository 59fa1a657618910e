import { EventEmitter } from 'node:events';
import type { Channel, ChannelModel } from 'amqplib';
import type { BrokerConnection } from '../src/connection/broker-connection.js';
import { LazyChannel } from '../src/connection/lazy-channel.js';

class FakeConnection extends EventEmitter {
  readonly channels: EventEmitter[] = [];
  readonly current = {
    createChannel: async () => {
      const channel = new EventEmitter();
      this.channels.push(channel);
      return channel as unknown as Channel;
    },
  } as ChannelModel;
}

function setUp(prepare: (channel: Channel) => Promise<unknown> = () => Promise.resolve()) {
  const connection = new FakeConnection();
  const losses: number[] = [];
  const lazy = new LazyChannel(connection as unknown as BrokerConnection, {
    prepare,
    lost: () => losses.push(connection.channels.length),
  });
  return { connection, lazy, losses };
}

describe('a channel that is opened when it is needed', () => {
  test('is one for all who ask, also while it opens', async () => {
    const { connection, lazy } = setUp();
    const [a, b] = await Promise.all([lazy.get(), lazy.get()]);
    expect(a).toBe(b);
    expect(await lazy.get()).toBe(a);
    expect(connection.channels).toHaveLength(1);
  });

  test('is opened anew after it was closed, or its connection went; each loss is told once', async () => {
    const { connection, lazy, losses } = setUp();
    const first = await lazy.get();
    first.emit('close');
    const second = await lazy.get();
    expect(second).not.toBe(first);
    connection.emit('down', new Error('gone'));
    second.emit('close');
    expect(losses).toEqual([1, 2]);
    const third = await lazy.get();
    second.emit('close');
    expect(await lazy.get()).toBe(third);
  });

  test('is opened anew after an opening that failed', async () => {
    let fails = true;
    const { lazy } = setUp(() => (fails ? Promise.reject(new Error('refused')) : Promise.resolve()));
    await expect(lazy.get()).rejects.toThrow('refused');
    fails = false;
    await expect(lazy.get()).resolves.toBeDefined();
  });
});
