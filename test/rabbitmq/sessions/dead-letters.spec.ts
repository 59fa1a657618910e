import { fork } from 'node:child_process';
import { NOTE_HEADERS, REPLAY_HEADER, encodeShardingKey, type MississippiOperator } from '@mississippi/core';
import type { RabbitMqOptions } from '@mississippi/rabbitmq';
import { drain, onBroker } from '../../support/broker-view.js';
import { sharedUrl } from '../../support/broker.js';
import { startProducer } from '../../support/fault-app.js';

const REPLAYER = new URL('../../support/worker/replayer.mjs', import.meta.url).pathname;
const TOTAL = 4;
let runs = 0;

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Queues with so many dead letters of seven keys, and an operator. */
async function stage(type: 'classic' | 'quorum', letters: number) {
  const prefix = `letters${++runs}_${process.pid}_`;
  const rabbit: RabbitMqOptions = { urls: [sharedUrl()], queues: { prefix, totalCount: TOTAL, type } };
  const { operator, close } = await startProducer(rabbit);
  ends.push(close);
  await onBroker(sharedUrl(), async (channel) => {
    for (let seq = 0; seq < letters; seq++) {
      const key = `k${seq % 7}`;
      channel.sendToQueue(`${prefix}dead_letters`, Buffer.from(JSON.stringify({ key, seq })), {
        persistent: true,
        messageId: `${key}#${seq}`,
        headers: {
          sharding_key: Buffer.from(encodeShardingKey(key)),
          [NOTE_HEADERS.reason]: seq % 2 === 0 ? 'attempts_exhausted' : 'discarded',
          [NOTE_HEADERS.time]: 1_700_000_000_000 + seq,
        },
      });
    }
    await channel.checkQueue(`${prefix}dead_letters`); // A round trip: they have arrived.
  });
  return { prefix, rabbit, operator };
}

/** What is in the shards, in the order of each key. */
async function inShards(prefix: string): Promise<string[]> {
  return onBroker(sharedUrl(), async (channel) => {
    const texts: string[] = [];
    for (let shard = 0; shard < TOTAL; shard++) texts.push(...(await drain(channel, `${prefix}${shard}`)));
    return texts;
  });
}

const seqOf = (text: string): number => Number(text.split('#')[1]);

function ofKey(texts: readonly string[], key: string): number[] {
  return texts.filter((text) => text.startsWith(`${key}#`)).map(seqOf);
}

/** The numbers of a key are in order, when those that came twice are left out. */
function expectInOrder(texts: readonly string[]): void {
  for (let key = 0; key < 7; key++) {
    const seqs = [...new Set(ofKey(texts, `k${key}`))];
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  }
}

async function letters(operator: MississippiOperator): Promise<number[]> {
  return (await operator.deadLetters({ limit: 10_000 })).letters.map(({ messageId }) => seqOf(messageId!));
}

describe('dead letters', () => {
  test.each(['classic', 'quorum'] as const)(
    'are listed and filtered, and all of them stay, in order (%s)',
    async (type) => {
      const { operator } = await stage(type, 3_500);
      const every = Array.from({ length: 3_500 }, (_, seq) => seq);
      expect(await letters(operator)).toEqual(every);
      const { letters: some, more, total } = await operator.deadLetters({ key: 'k3', reason: 'discarded', limit: 5 });
      expect(some.map(({ messageId }) => seqOf(messageId!))).toEqual([3, 17, 31, 45, 59]);
      expect([more, total]).toEqual([true, 3_500]);
      expect(await letters(operator)).toEqual(every);
    },
  );

  test('are replayed by a filter, marked, at the end of their keys, in order', async () => {
    const { operator, prefix } = await stage('classic', 700);
    const progress = await operator.replay({ reason: 'discarded' }, { rate: Infinity });
    expect(progress).toEqual({ read: 700, total: 700, done: 350, withoutKey: 0 });
    expect((await operator.deadLetters({ reason: 'discarded' })).letters).toEqual([]);
    const marks = await onBroker(sharedUrl(), async (channel) => {
      const message = await channel.get(`${prefix}0`, { noAck: true });
      return message === false ? undefined : message.properties.headers;
    });
    expect(marks).toMatchObject({ [REPLAY_HEADER]: expect.anything() as unknown });
    expect(Object.keys(marks!)).not.toContain(NOTE_HEADERS.reason);
    const replayed = await inShards(prefix);
    expect(replayed).toHaveLength(349);
    expectInOrder(replayed);
  });
});

test.each(['classic', 'quorum'] as const)('a second reader is told that it is busy (%s)', async (type) => {
  const { operator, rabbit } = await stage(type, 50);
  const other = await startProducer(rabbit);
  ends.push(() => other.close());
  let slow!: Promise<unknown>;
  await new Promise<void>((begun) => {
    slow = operator.replay({}, { rate: 10, progress: () => begun() });
  });
  await expect(other.operator.deadLetters()).rejects.toMatchObject({ code: 'dead_letters_busy' });
  // One of the same process is another reader too.
  await expect(operator.deadLetters()).rejects.toMatchObject({ code: 'dead_letters_busy' });
  await slow;
  expect((await other.operator.deadLetters()).total).toBe(0);
});

test.each(['classic', 'quorum'] as const)(
  'a replay that is killed in its midst loses nothing and keeps the order of each key (%s)',
  async (type) => {
    const { operator, rabbit, prefix } = await stage(type, 700);
    const child = fork(REPLAYER, [JSON.stringify(rabbit)], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await new Promise<void>((resolve) => child.on('message', (done) => (Number(done) >= 100 ? resolve() : undefined)));
    child.kill('SIGKILL');
    await exited;
    await freed(operator);
    while ((await waiting(operator)) < 700 || (await freed(operator)) > 0) {
      // What the broker has yet to take back from the one that was killed is not read by the first of these.
      await operator.replay({}, { rate: Infinity });
    }
    if (type === 'quorum') return; // Their queues tell nobody what is in them.
    const replayed = await inShards(prefix);
    expect(new Set(replayed).size).toBe(700);
    expectInOrder(replayed);
  },
);

/** How many messages are in the shards. */
async function waiting(operator: MississippiOperator): Promise<number> {
  const shards = await operator.shards({ over: 1 });
  return shards.reduce((sum, { backlog }) => sum + backlog!, 0);
}

/** How many there are, once the broker has seen that the last reader is gone. */
async function freed(operator: MississippiOperator): Promise<number> {
  for (;;) {
    try {
      return (await operator.deadLetters()).total;
    } catch (error) {
      expect(error).toMatchObject({ code: 'dead_letters_busy' });
    }
  }
}
