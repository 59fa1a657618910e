import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jest } from '@jest/globals';
import type { EventsProducer } from '@mississippi/core';
import { erlangPeer } from '../support/erlang-peer.js';
import { startFaultApp, startProducer } from '../support/fault-app.js';
import { History } from '../support/history.js';
import { freePort, type BrokerNode } from '../support/rabbitmq-node.js';
import { deleteQueues, onRawBroker } from '../support/raw-broker.js';
import { WorkerProcess } from '../support/worker-process.js';
import { cli, CliProcess, type Ended } from './cli-process.js';

/** Each command is a process of its own. The limit is for machines that are busy with other things. Milliseconds. */
jest.setTimeout(240_000);

const TOTAL = 4;
const KEY = "poisoned 'key'";
/** Messages of the key. */
const COUNT = 5;

let node: BrokerNode;
let prefix: string;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  node = await erlangPeer();
});
afterAll(() => node.stop());

beforeEach(() => {
  prefix = `cli${randomBytes(4).toString('hex')}_`;
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await deleteQueues(node.url, prefix, TOTAL);
});

const run = (...args: string[]): Promise<Ended> => cli(args, { MISSISSIPPI_URL: node.url, MISSISSIPPI_PREFIX: prefix });

/** What a command line prints as JSON, which it has to end well with. */
async function json<T>(...args: string[]): Promise<T> {
  const { status, out, err } = await run(...args, '--json');
  expect([status, err]).toEqual([0, '']);
  return JSON.parse(out) as T;
}

interface Stage {
  readonly producer: EventsProducer;
  readonly worker: WorkerProcess;
  readonly history: History;
}

/** An app whose one key fails at once, and what becomes of it. */
async function stage(onExhausted: 'park' | 'deadLetter', type: 'classic' | 'quorum' = 'classic'): Promise<Stage> {
  const rabbit = { urls: [node.url], claimInterval: 100, queues: { prefix, totalCount: TOTAL, type } };
  const { producer, close } = await startProducer(rabbit);
  ends.push(close);
  const history = new History();
  const failurePolicy = { attempts: 1, onExhausted };
  const worker = await WorkerProcess.start({
    name: 'app',
    history,
    rabbit,
    failing: [KEY],
    options: { failurePolicy },
  });
  ends.push(async () => (worker.alive ? worker.kill() : undefined));
  return { producer, worker, history };
}

async function publishAll({ producer }: Stage): Promise<void> {
  for (let seq = 0; seq < COUNT; seq++)
    await producer.publish({ key: KEY, seq }, { shardingKey: KEY, messageId: `${KEY}#${seq}` });
}

interface Status {
  readonly troubled: { readonly keys: readonly { key: string; trouble: string; error: string; parked: number }[] };
  readonly shards: { readonly owned: number };
  readonly deadLetters: number;
  readonly type: string | null;
}

/** Asks until it is so. */
async function until<T>(ask: () => Promise<T>, test: (value: T) => boolean): Promise<T> {
  for (let asked = 0; asked < 60; asked++) {
    const value = await ask();
    if (test(value)) return value;
  }
  throw new Error('it never came to be');
}

const status = (): Promise<Status> => json<Status>('status');
/** Those of this test, or that the command line would make: others have the broker too. */
const queuesNamed = (): string[] => {
  const names = node.ctl('list_queues', 'name', '--silent').split('\n');
  return names.filter((name) => name.startsWith(prefix) || name.startsWith('nothing_')).sort();
};

describe.each(['classic', 'quorum'] as const)('with %s queues', (type) => {
  test('finds the key that is stuck, and frees it: nothing is lost and the order holds', async () => {
    const scene = await stage('park', type);
    await publishAll(scene);
    const { troubled } = await until(status, ({ troubled }) => troubled.keys[0]?.parked === COUNT);
    expect(troubled.keys).toMatchObject([{ key: KEY, trouble: 'parked', error: 'Error: this key is refused for now' }]);
    expect((await status()).type).toBe(type);

    const { out, status: code } = await run('status', '--check');
    expect(code).toBe(1);
    expect(out).toContain(`"poisoned 'key'"`);
    expect(out).toContain('Error: this key is refused for now');
    const next = `mississippi keys drop 'poisoned '\\''key'\\'''`;
    expect(out).toContain(next);
    const first = `${KEY}#0`;
    expect(out).toContain(first);

    // Nobody is there to be asked, and without the message's id the same command would drop the next one.
    for (const args of [[], ['--yes']]) {
      const { status: refused, err } = await run('keys', 'drop', KEY, ...args);
      expect([refused, err]).toEqual([2, expect.stringMatching(/Add\s+--message-id\s.*\s--yes\s+if/s)]);
    }
    const drop = ['keys', 'drop', KEY, '--message-id', first, '--yes'];
    expect(await json(...drop)).toMatchObject({ messageId: first, key: { head: { messageId: `${KEY}#1` } } });
    const again = await run(...drop);
    expect(again.status).toBe(1);
    expect(again.err.replaceAll(/\s+/g, ' ')).toContain(`${first} does not come first`);
    const all = await run('parked', 'drop', KEY, '--message-id', first, '--yes');
    expect(all.status).toBe(1);
    scene.worker.heal();
    await json('keys', 'resume', KEY);
    await until(status, ({ troubled }) => troubled.keys.length === 0);
    const handled = (): string[] =>
      scene.history.events.flatMap((event) =>
        event.type === 'ended' && event.callback === 'handleMessage' && event.outcome === 'ok' ? [event.id] : [],
      );
    await scene.history.until('all but the first are handled', () => handled().length === COUNT - 1);
    expect(handled()).toEqual([1, 2, 3, 4].map((seq) => `${KEY}#${seq}`));

    const { letters } = await json<{ letters: { id: string; reason: string }[] }>('dead-letters', 'list');
    expect(letters).toMatchObject([{ reason: 'dropped' }]);
    expect(await json('dead-letters', 'show', letters[0]!.id)).toMatchObject({ payload: { seq: 0 }, key: KEY });
    await json('dead-letters', 'replay', letters[0]!.id);
    await scene.history.until('the first one is, too', () => handled().length === COUNT);
    expect((await status()).deadLetters).toBe(0);
    expect((await run('status', '--check')).status).toBe(0);
  });
});

test('makes no queue, and takes no part', async () => {
  await stage('park');
  const before = queuesNamed();
  for (const args of [['status'], ['keys'], ['shards'], ['parked'], ['doctor']])
    expect((await run(...args)).err).toBe('');
  const { processes } = await json<{ processes: unknown[] }>('processes');
  expect(processes).toHaveLength(1);
  expect(queuesNamed()).toEqual(before);
});

test('publishes, signals nobody, and says where a key is that is not stuck', async () => {
  await stage('park');
  expect(await json('publish', 'fine', '{"key":"fine","seq":0}', '--message-id', 'fine#0')).toEqual({
    published: true,
    messageId: 'fine#0',
  });
  expect((await run('keys', 'show', 'nobody')).status).toBe(4);
  expect((await run('keys', 'retry', 'nobody')).status).toBe(1);
  expect((await run('keys', 'show', '-7', '--key-type', 'integer')).status).toBe(4);
  expect((await run('keys', 'show', '"-x"', '--key-type', 'json')).status).toBe(4);
  expect((await run('publish', 'fine', 'no json')).status).toBe(2);
});

test('pauses a process and a type, and lets them go on', async () => {
  await stage('park');
  const list = async () =>
    (await json<{ processes: { name: string; shards: number[]; intake: string }[] }>('processes')).processes;
  const { name } = (await until(list, ([process]) => process?.shards.length === TOTAL))[0]!;
  await json('processes', 'pause', name.split(' ').at(-1)!);
  await until(list, ([process]) => process?.intake === 'paused' && process.shards.length === 0);
  expect((await run('doctor')).status).toBe(1);
  await json('processes', 'resume', name);
  await until(list, ([process]) => process?.intake === 'open' && process.shards.length === TOTAL);
  expect((await run('processes', 'pause', 'nobody')).status).toBe(4);

  await json('types', 'pause', 'flight');
  expect(await json('types', 'list')).toEqual({ types: ['flight'] });
  await json('types', 'resume', 'flight');
  expect(await json('types', 'list')).toEqual({ types: [] });
});

test('what cannot be is told in words and by a status, and no password is shown', async () => {
  const { host } = new URL(node.url);
  const away = await freePort();
  const cases: [status: number, text: RegExp, env: Record<string, string>, args?: string[]][] = [
    [2, /No broker was named/, {}],
    [2, /--url with a password would show/, {}, ['--url', `amqp://guest:s3cret@${host}`]],
    [3, /No RabbitMQ could be reached/, { MISSISSIPPI_URL: `amqp://guest:s3cret@127.0.0.1:${away}` }],
    [5, /refuses the connection/, { MISSISSIPPI_URL: `amqp://guest:s3cret@${host}` }],
    [5, /does not open the virtual host/, { MISSISSIPPI_URL: `${node.url}/nowhere` }],
    [
      4,
      /There are no queues 'nothing_\*'.*none was made/s,
      { MISSISSIPPI_URL: node.url, MISSISSIPPI_PREFIX: 'nothing_' },
    ],
  ];
  for (const [code, text, env, args = ['status']] of cases) {
    const { status, out, err } = await cli(args, env);
    expect([status, out, err]).toEqual([code, '', expect.stringMatching(text)]);
    expect(err).not.toContain('s3cret');
    const asJson = await cli([...args, '--json'], env);
    expect(JSON.parse(asJson.err)).toMatchObject({ error: { exitCode: code, message: expect.stringMatching(text) } });
  }
  expect(queuesNamed().filter((name) => name.startsWith('nothing_'))).toEqual([]);
});

test('takes the url from a file, and the password from the environment', async () => {
  await stage('park');
  const folder = await mkdtemp(path.join(tmpdir(), 'mississippi-cli-'));
  ends.push(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'url');
  await writeFile(file, `# of the staging broker\n${node.url}\n`);
  expect((await cli(['shards', '--url-file', file, '--prefix', prefix], {})).status).toBe(0);
  const url = new URL(node.url);
  url.password = '';
  expect((await cli(['shards', '--url', url.href, '--prefix', prefix], { MISSISSIPPI_PASSWORD: 'guest' })).status).toBe(
    0,
  );
  const config = path.join(folder, '.mississippirc.json');
  await writeFile(config, JSON.stringify({ url: node.url, prefix }));
  expect((await cli(['shards', '--config', config], {})).status).toBe(0);
});

test('says which right is wanting', async () => {
  await stage('park');
  const user = `user-${randomBytes(4).toString('hex')}`;
  node.ctl('add_user', user, 'secret');
  ends.push(async () => void node.ctl('delete_user', user));
  const url = new URL(node.url);
  [url.username, url.password] = [user, 'secret'];
  const env = { MISSISSIPPI_URL: url.href, MISSISSIPPI_PREFIX: prefix };

  node.ctl('set_permissions', user, '^$', '^amq\\.default', `^${prefix}`);
  const looked = await cli(['status', '--json'], env); // To look it needs no right to configure.
  expect([looked.status, looked.err]).toEqual([0, '']);
  const letters = await cli(['dead-letters', 'list'], env);
  expect([letters.status, letters.err]).toEqual([5, expect.stringContaining("lacks the right 'configure'")]);
  const doctor = await cli(['doctor', '--json'], env);
  expect(doctor.status).toBe(1);
  expect(doctor.out).toContain("this user lacks the right 'configure'");

  node.ctl('set_permissions', user, '^$', '^$', '^$');
  const nothing = await cli(['status'], env);
  expect([nothing.status, nothing.err]).toEqual([5, expect.stringContaining('lacks the right')]);
});

test('one at a time reads the dead letters: the other is told', async () => {
  const scene = await stage('deadLetter');
  await publishAll(scene);
  await until(status, ({ deadLetters }) => deadLetters === COUNT);
  await onRawBroker(node.url, async (channel) => {
    const reader = `${prefix}dead_letters.reader`;
    await channel.assertQueue(reader, { arguments: { 'x-queue-type': 'classic' } });
    await channel.consume(reader, () => undefined, { exclusive: true, noAck: true });
    const { status: code, err } = await run('dead-letters', 'list');
    expect([code, err]).toEqual([6, expect.stringContaining('are being read by another operator')]);
  });
});

test('a replay that is interrupted stops behind what is under way, and the rest stays in its order', async () => {
  const scene = await stage('deadLetter');
  await publishAll(scene);
  await until(status, ({ deadLetters }) => deadLetters === COUNT);
  scene.worker.heal();
  const replay = new CliProcess(['dead-letters', 'replay', '--all', '--rate', '1', '--json'], {
    MISSISSIPPI_URL: node.url,
    MISSISSIPPI_PREFIX: prefix,
  });
  await scene.history.until('one was replayed', () => scene.history.count('handled') >= 1);
  replay.interrupt();
  const { status: code, out } = await replay.ended;
  const { replayed, interrupted } = JSON.parse(out) as { replayed: number; interrupted: boolean };
  expect([code, interrupted]).toEqual([130, true]);
  const { letters } = await json<{ letters: { messageId: string }[] }>('dead-letters', 'list');
  const rest = [0, 1, 2, 3, 4].slice(replayed).map((seq) => `${KEY}#${seq}`);
  expect(letters.map(({ messageId }) => messageId).toSorted()).toEqual(rest);
});

test('what says which dead letters is needed, and only once', async () => {
  await stage('deadLetter');
  for (const args of [
    ['replay'],
    ['drop', '--yes'],
    ['replay', 'an id', '--all'],
    ['replay', '--all', '--reason', 'dropped'],
  ])
    expect((await run('dead-letters', ...args)).status).toBe(2);
  expect((await run('dead-letters', 'show', 'nothing')).status).toBe(4);
  expect((await run('dead-letters', 'drop', '--all')).status).toBe(2); // Nobody is there to be asked.
  expect((await run('dead-letters', 'drop', '--all', '--yes')).status).toBe(0);
});

test('a queue that somebody has made otherwise, and one that is missing, are found, and not made', async () => {
  const { close } = await startProducer({ urls: [node.url], queues: { prefix, totalCount: TOTAL } });
  await close();
  await onRawBroker(node.url, async (channel) => {
    await channel.deleteQueue(`${prefix}2.signals`);
    await channel.deleteQueue(`${prefix}dead_letters`);
    await channel.assertQueue(`${prefix}dead_letters`, { durable: true, messageTtl: 1_000_000 });
  });
  const before = queuesNamed();
  const { status: code, out } = await run('doctor', '--json');
  expect(code).toBe(1);
  expect(out).toContain(`the queue '${prefix}dead_letters' is not as the library makes it`);
  expect(out).toContain('queues of signals are missing: 2');
  expect(queuesNamed()).toEqual(before);
});

test.each(['classic', 'quorum'] as const)(
  'an app that has never consumed is found by its queues, which are %s, and not taken for others',
  async (type) => {
    const { close } = await startProducer({ urls: [node.url], queues: { prefix, totalCount: TOTAL, type } });
    await close();
    const before = queuesNamed();
    expect((await run('status')).out).toContain('No process consumes');
    expect((await status()).type).toBe(type);
    const doctor = await run('doctor', '--json');
    const { checks } = JSON.parse(doctor.out) as { checks: { name: string; findings: object[] }[] };
    expect(checks.find(({ name }) => name === 'queue arguments')).toEqual({ name: 'queue arguments', findings: [] });
    expect(doctor.status).toBe(1);
    expect(queuesNamed()).toEqual(before);
  },
);

describe('a process that makes nothing', () => {
  const options = () => ({ urls: [node.url], queues: { prefix, totalCount: TOTAL, declare: false } });
  const refused = (text: string) => ({ code: 'rabbitmq_setup', message: expect.stringContaining(text) as string });

  test('refuses to start where there is nothing', async () => {
    await expect(startProducer(options())).rejects.toMatchObject(refused('queues.declare is false'));
    expect(queuesNamed()).toEqual([]);
  });

  test('refuses to consume, and makes neither what a consumer needs nor what is missing', async () => {
    const { close } = await startProducer({ urls: [node.url], queues: { prefix, totalCount: TOTAL } });
    await close();
    await onRawBroker(node.url, (channel) => channel.deleteQueue(`${prefix}2.signals`));
    const before = queuesNamed();
    await expect(startFaultApp({ history: new History(), rabbit: options() })).rejects.toMatchObject(
      refused('a process that consumes makes queues of its own'),
    );
    expect(queuesNamed()).toEqual(before);
    expect(before.some((name) => name.endsWith('members'))).toBe(false);
  });
});
