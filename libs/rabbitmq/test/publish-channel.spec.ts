import { EventEmitter } from 'node:events';
import { PublishError } from '@mississippi/core';
import type { ChannelModel } from 'amqplib';
import { FakeClock, settled } from '../../core/test/support/fake-clock.js';
import type { BrokerConnection } from '../src/connection/broker-connection.js';
import { settingsIn, settingsOf } from '../src/options/settings.js';
import { RabbitPublisher } from '../src/publishing/rabbit-publisher.js';
import { QueueNames } from '../src/topology/queue-names.js';

type Confirm = (error: Error | null) => void;

/** A channel in confirm mode that notes what is sent, as amqplib's has its events. */
class FakeChannel extends EventEmitter {
  /** Of amqplib: `null` once it is closed. */
  pending: unknown[] | null = [];
  readonly sent: string[] = [];
  private readonly unconfirmed = new Map<string, Confirm>();

  publish(_exchange: string, queue: string, body: Buffer, _options: unknown, confirm: Confirm): boolean {
    if (this.pending === null) throw Object.assign(new Error('Channel closed'), { name: 'IllegalOperationError' });
    const name = `${queue}${body.toString()}`;
    this.sent.push(name);
    this.unconfirmed.set(name, confirm);
    return true;
  }

  ack(...names: string[]): void {
    for (const name of names) this.answer(name, null);
  }

  nack(name: string): void {
    this.answer(name, new Error('message nacked'));
  }

  /** The broker closes it over something. */
  fail(code: number, text = `closed by server: ${code}`): void {
    this.emit('error', Object.assign(new Error(text), { code }));
    this.end();
  }

  /** It is closed: amqplib answers for what is unconfirmed before anybody else hears of it. */
  end(): void {
    this.pending = null;
    for (const confirm of this.unconfirmed.values()) confirm(new Error('channel closed'));
    this.emit('close');
  }

  close(): Promise<void> {
    this.end();
    return Promise.resolve();
  }

  private answer(name: string, error: Error | null): void {
    const confirm = this.unconfirmed.get(name);
    if (confirm === undefined) throw new Error(`${name} is not unconfirmed`);
    this.unconfirmed.delete(name);
    confirm(error);
  }
}

class FakeConnection extends EventEmitter {
  current: ChannelModel | undefined;
  blocked = false;
  limits = { heartbeat: 10_000, frameMax: 131_072, channelMax: 2_047 };
  readonly channels: FakeChannel[] = [];
  /** Whether a channel is closed as it opens. */
  refuses = false;

  up(): void {
    const createConfirmChannel = async (): Promise<FakeChannel> => {
      const channel = new FakeChannel();
      if (this.refuses) channel.pending = null;
      this.channels.push(channel);
      return channel;
    };
    this.current = { createConfirmChannel } as unknown as ChannelModel;
    this.emit('up', this.current);
  }

  down(cause: Error): void {
    this.current = undefined;
    this.emit('down', cause);
  }
}

interface SetUp {
  readonly publisher: RabbitPublisher;
  readonly connection: FakeConnection;
  readonly clock: FakeClock;
  readonly logs: string[];
  /** What became of each message: `ok`, the reason, or nothing yet. */
  readonly outcomes: Map<string, string>;
  /** Publishes messages such as `a1`, which goes to queue `a`. */
  readonly submit: (...names: string[]) => void;
  /** The channel that was opened last. */
  readonly last: () => FakeChannel;
}

async function setUp({
  quorum = false,
  publishBuffer = 10_000,
  ready = (): Promise<void> => Promise.resolve(),
} = {}): Promise<SetUp> {
  const connection = new FakeConnection();
  const clock = new FakeClock();
  const settings = settingsIn(
    settingsOf({ publishBuffer, queues: { type: quorum ? 'quorum' : 'classic' } }),
    'default',
  );
  const names = new QueueNames(settings.prefix);
  const logs: string[] = [];
  const log = (line: string): void => void logs.push(line);
  const logger = { log, warn: log, error: log };
  const publisher = new RabbitPublisher(connection as unknown as BrokerConnection, settings, names, clock, logger, {
    ready,
    unroutable: () => undefined,
  });
  const outcomes = new Map<string, string>();
  const submit = (...all: string[]): void => {
    for (const name of all) {
      const message = { exchange: '', queue: name[0]!, body: Buffer.from(name.slice(1)), options: {} };
      publisher.submit(message, Infinity).then(
        () => outcomes.set(name, 'ok'),
        (error: unknown) => outcomes.set(name, (error as PublishError).reason),
      );
    }
  };
  connection.up();
  await settled();
  return { publisher, connection, clock, logs, outcomes, submit, last: () => connection.channels.at(-1)! };
}

describe('a channel that is closed in order', () => {
  test.each(['by itself', 'with its connection'])('%s has what is unconfirmed sent again, first', async (how) => {
    const { connection, clock, outcomes, submit, last } = await setUp();
    submit('a1', 'b1', 'a2');
    const first = last();
    first.ack('b1');
    first.end();
    submit('a3');
    if (how === 'with its connection') {
      connection.down(Object.assign(new Error('going down'), { code: 320 }));
      connection.up();
    }
    await clock.advance(100);
    expect(last()).not.toBe(first);
    expect(last().sent).toEqual(['a1', 'a2', 'a3']);
    last().ack('a1', 'a2', 'a3');
    await settled();
    expect([...outcomes.values()]).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  test('as it opens is not used, and another is opened', async () => {
    const { connection, clock, logs, submit, last } = await setUp();
    connection.refuses = true;
    last().end();
    submit('a1');
    await clock.advance(250);
    expect(connection.channels.length).toBeGreaterThan(1);
    connection.refuses = false;
    await clock.advance(5_000);
    expect(last().sent).toEqual(['a1']);
    expect(logs).toEqual([expect.stringMatching(/^No channel to publish on could be opened: .*closed as it opened/)]);
  });
});

test('nothing is sent on a new connection before its queues are there; another channel of it has them', async () => {
  const ends: (() => void)[] = [];
  const { connection, clock, submit, last } = await setUp({ ready: () => new Promise((end) => void ends.push(end)) });
  submit('a1');
  await clock.advance(1_000);
  expect(connection.channels).toHaveLength(0);
  ends[0]!();
  await settled();
  expect(last().sent).toEqual(['a1']);
  last().end();
  await clock.advance(1_000);
  expect(last().sent).toEqual(['a1']);
  expect(connection.channels).toHaveLength(2);
  expect(ends).toHaveLength(1);
});

describe('a queue that refuses', () => {
  test('is told so, and holds up nobody: each other queue goes on as soon as order allows', async () => {
    const { connection, outcomes, submit, last } = await setUp({ quorum: true });
    submit('a1', 'a2', 'b1', 'b2');
    const old = last();
    old.nack('a1');
    submit('c1');
    expect(old.sent).toEqual(['a1', 'a2', 'b1', 'b2', 'c1']);
    await settled();
    expect(connection.channels).toHaveLength(2);
    const fresh = last();
    submit('a3', 'b3', 'd1', 'c2', 'b4');
    expect(fresh.sent).toEqual(['d1']);
    old.ack('b1', 'c1');
    expect(fresh.sent).toEqual(['d1', 'c2']);
    old.ack('b2');
    expect(fresh.sent).toEqual(['d1', 'c2', 'b3', 'b4']);
    expect(old.pending).not.toBeNull();
    old.ack('a2');
    expect(fresh.sent).toEqual(['d1', 'c2', 'b3', 'b4', 'a3']);
    expect(old.pending).toBeNull();
    fresh.ack('d1', 'c2', 'b3', 'b4', 'a3');
    await settled();
    expect(outcomes.get('a1')).toBe('nacked');
    outcomes.delete('a1');
    expect(new Set(outcomes.values())).toEqual(new Set(['ok']));
  });

  test('neither nor takes holds up only itself, for as long as it likes', async () => {
    const { outcomes, submit, last } = await setUp({ publishBuffer: 20 });
    submit(...Array.from({ length: 100 }, (_, index) => `a${index}`));
    for (let index = 0; index < 100; index++) {
      submit(`b${index}`);
      last().ack(`b${index}`);
    }
    await settled();
    expect([...outcomes.values()].filter((outcome) => outcome === 'ok')).toHaveLength(100);
    for (let index = 0; index < 100; index++) last().ack(`a${index}`);
    await settled();
    expect(outcomes.size).toBe(200);
  });

  test('has its channel replaced once a second at most', async () => {
    const { connection, clock, submit, last } = await setUp({ quorum: true });
    for (let count = 1; count <= 30; count++) {
      submit(`a${count}`);
      last().nack(`a${count}`);
      await clock.advance(100);
    }
    expect(connection.channels).toHaveLength(1 + 3);
  });

  test('keeps its order when the old channel goes, and when the connection does', async () => {
    const { connection, clock, submit, last } = await setUp({ quorum: true });
    submit('a1', 'a2', 'b1');
    const old = last();
    old.nack('a1');
    await settled();
    const fresh = last();
    submit('a3', 'c1');
    old.end();
    expect(fresh.sent).toEqual(['c1', 'a2', 'b1', 'a3']);
    await settled();
    await clock.advance(1_000);
    submit('a4');
    fresh.nack('c1');
    await settled();
    submit('a5', 'd1');
    expect(last().sent).toEqual(['d1']);
    expect(fresh.sent).toEqual(['c1', 'a2', 'b1', 'a3', 'a4']);
    connection.down(new Error('cut'));
    connection.up();
    await settled();
    expect(last().sent).toEqual(['a2', 'b1', 'a3', 'a4', 'a5', 'd1']);
  });
});

describe('a message over which the broker closes', () => {
  test.each([
    ['the channel', 'front'],
    ['the channel', 'middle'],
    ['the connection', 'front'],
    ['the connection', 'middle'],
  ])('%s is found and refused alone (%s)', async (what, where) => {
    const { connection, clock, outcomes, submit, last } = await setUp();
    const names = Array.from({ length: 300 }, (_, index) => `a${index}`);
    names.splice(where === 'front' ? 0 : 150, 0, 'xpoison');
    submit(...names);
    const taken: string[] = [];
    /** The broker takes what comes, up to the one that it closes over. Returns whether it came to that. */
    const takeAll = (channel: FakeChannel): boolean => {
      for (const name of channel.sent) {
        if (name === 'xpoison') return true;
        if (taken.includes(name)) continue;
        taken.push(name);
        channel.ack(name);
      }
      return false;
    };
    let closes = 0;
    while (takeAll(last())) {
      closes++;
      if (what === 'the channel') {
        last().fail(406);
      } else {
        connection.down(Object.assign(new Error('501'), { code: 501 }));
        last().end();
        connection.up();
      }
      await clock.advance(100);
    }
    await settled();
    expect(outcomes.get('xpoison')).toBe('refused');
    expect(closes).toBeLessThan(12);
    outcomes.delete('xpoison');
    expect(outcomes.size).toBe(300);
    expect(new Set(outcomes.values())).toEqual(new Set(['ok']));
    expect(taken).toEqual(names.filter((name) => name !== 'xpoison'));
  });

  test('is not blamed for connections that are cut, or closed for another reason', async () => {
    const { connection, clock, outcomes, submit, last } = await setUp();
    submit('a1');
    for (let times = 0; times < 10; times++) {
      const error = new Error('cut');
      connection.down(times % 2 === 0 ? error : Object.assign(error, { code: 320 }));
      last().end();
      connection.up();
      await clock.advance(100);
      expect(last().sent).toEqual(['a1']);
    }
    last().ack('a1');
    await settled();
    expect(outcomes.get('a1')).toBe('ok');
  });
});

describe('want of the right to publish', () => {
  const DENIED = `ACCESS_REFUSED - access to exchange 'amq.default' in vhost '/' refused for user 'app'`;

  test('is found by one message, and told to all that wait for the exchange; what may have been taken is sent again', async () => {
    const { clock, logs, outcomes, submit, last } = await setUp();
    submit('a1', 'b1', 'a2');
    last().fail(403, DENIED);
    submit('c1');
    await clock.advance(100);
    expect(outcomes.size).toBe(0);
    expect(last().sent).toEqual(['a1']);
    last().fail(403, DENIED);
    await settled();
    expect(outcomes).toEqual(new Map(['a1', 'b1', 'a2', 'c1'].map((name) => [name, 'refused'])));
    expect(logs).toEqual([
      expect.stringMatching(
        /^RabbitMQ takes no messages any more: The user 'app' lacks the right 'write' on the exchange/,
      ),
    ]);
    await clock.advance(100);
    submit('a3', 'a4');
    expect(last().sent).toEqual(['a3']);
    last().ack('a3');
    expect(last().sent).toEqual(['a3', 'a4']);
  });

  test('lets a question whether the broker takes messages wait until it does', async () => {
    const { publisher, clock, last } = await setUp();
    let taken = false;
    void publisher.probe().then(() => (taken = true));
    for (let times = 0; times < 5; times++) {
      last().fail(403, DENIED);
      await clock.advance(1_500);
      expect(taken).toBe(false);
    }
    const [probe] = last().sent;
    last().ack(probe!);
    await settled();
    expect(taken).toBe(true);
  });

  test('keeps no question when the app closes', async () => {
    const { publisher, last } = await setUp();
    const probe = publisher.probe();
    last().fail(403, DENIED);
    await settled();
    publisher.close();
    await expect(probe).rejects.toMatchObject({ reason: 'closed' });
  });
});

test('what has larger headers than the broker has frames is refused alone, before it is sent', async () => {
  const { publisher, connection, submit, outcomes, last } = await setUp();
  connection.down(new Error('cut'));
  connection.limits = { ...connection.limits, frameMax: 16_384 };
  const options = { headers: { large: 'x'.repeat(17_000) }, messageId: 'one' };
  const large = publisher.submit({ exchange: '', queue: 'a', body: Buffer.from('1'), options }, Infinity);
  submit('a2');
  connection.up();
  await expect(large).rejects.toMatchObject({ reason: 'too_large', message: expect.stringContaining('frame_max') });
  expect(last().sent).toEqual(['a2']);
  last().ack('a2');
  await settled();
  expect(outcomes.get('a2')).toBe('ok');
});
