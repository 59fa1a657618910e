import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import type { Applied } from '@mississippi/history';
import { sharedUrl } from '../support/broker.js';
import { startProducer } from '../support/fault-app.js';
import { History } from '../support/history.js';
import { bringUp, sharedPostgres } from '../support/postgres.js';
import { hasPostgres, PostgresContainer, PostgresServer, type PostgresHost } from '../support/postgres-server.js';
import { deleteQueues } from '../support/raw-broker.js';
import { WorkerProcess } from '../support/worker-process.js';
import { cli, type Ended } from './cli-process.js';

/** Each command is a process of its own. The limit is for machines that are busy with other things. Milliseconds. */
jest.setTimeout(240_000);

const TOTAL = 2;
const KEY = 'account 7';
const WHY = ['--reason', 'ticket 12', '--by', 'ann', '--yes'];

/** What `audit --json` prints of an entry. */
interface Entry {
  readonly id: string;
  readonly key: string;
  readonly action: string;
  readonly by: string;
  readonly reason: string;
  readonly versionBefore: number;
  readonly versionAfter: number;
  readonly previous: unknown;
}

let server: PostgresHost | undefined;
let prefix: string;
let worker: WorkerProcess;
let env: Record<string, string>;

beforeAll(async () => {
  const starters = {
    isInstalled: hasPostgres,
    installed: () => PostgresServer.start(),
    container: () => PostgresContainer.start(),
  };
  server = await bringUp(starters, (line) => console.log(line));
});
afterAll(() => server?.stop());

beforeEach(async () => {
  const name = randomBytes(4).toString('hex');
  prefix = `states${name}_`;
  const store = { connectionString: sharedPostgres(), schema: `states_${name}` };
  const rabbit = { urls: [sharedUrl()], claimInterval: 100, queues: { prefix, totalCount: TOTAL } };
  const history = new History();
  worker = await WorkerProcess.start({ name: 'app', history, rabbit, store });
  env = {
    MISSISSIPPI_URL: sharedUrl(),
    MISSISSIPPI_PREFIX: prefix,
    MISSISSIPPI_STORE_URL: store.connectionString,
    MISSISSIPPI_SCHEMA: store.schema,
  };
  const { producer, close } = await startProducer(rabbit);
  for (let seq = 0; seq < 2; seq++)
    await producer.publish({ key: KEY, seq }, { shardingKey: KEY, messageId: `${KEY}#${seq}` });
  await history.untilHandled(2);
  await close();
});
afterEach(async () => {
  await worker.kill();
  await deleteQueues(sharedUrl(), prefix, TOTAL);
});

const run = (...args: string[]): Promise<Ended> => cli(args, env);

/** What a command line prints as JSON, which it has to end well with. */
async function json<T>(...args: string[]): Promise<T> {
  const { status, out, err } = await run(...args, '--json');
  expect([status, err]).toEqual([0, '']);
  return JSON.parse(out) as T;
}

const shown = () => json<{ state: Applied; version: number }>('state', 'show', KEY);
const audit = async (...args: string[]): Promise<readonly Entry[]> =>
  (await json<{ entries: readonly Entry[] }>('audit', ...args)).entries;

test('a state is edited, and put back: the trail says who did it, why, and what was before', async () => {
  const before = await shown();
  expect(before.state.seqs).toEqual([0, 1]);
  const edited = { ...before.state, marks: ['edited'] };
  const edit = await json('state', 'edit', KEY, JSON.stringify(edited), ...WHY);
  expect(edit).toEqual({ edited: true, key: KEY, replaced: before.version });
  const [entry] = (await audit('--key', KEY)) as [Entry];
  expect(entry).toMatchObject({ key: KEY, action: 'edited', by: 'ann', reason: 'ticket 12', previous: before.state });
  expect(entry.versionBefore).toBe(before.version);
  const restore = await json('state', 'restore', KEY, entry.id, ...WHY);
  expect(restore).toEqual({ restored: true, key: KEY, replaced: entry.versionAfter });
  expect((await shown()).state).toEqual(before.state);
});

test('a state is forgotten, and put back, and the trail is shown as it is asked for', async () => {
  const before = await shown();
  expect(await json('state', 'forget', KEY, ...WHY)).toMatchObject({ forgotten: true, replaced: before.version });
  expect((await run('state', 'show', KEY)).status).toBe(4);
  const { out } = await run('audit');
  expect(out).toContain('ticket 12');
  const [, id] = /mississippi state restore 'account 7' (\d+) --reason WHY/.exec(out) as RegExpExecArray &
    [string, string];
  expect(await json('state', 'restore', KEY, id, ...WHY)).toMatchObject({ restored: true, replaced: 0 });
  expect(await audit('--limit', '1')).toMatchObject([{ action: 'edited', versionBefore: 0 }]);
  expect(await audit('--key', 'another')).toEqual([]);
  expect(await audit('--since', '2999-01-01')).toEqual([]);
});

test.each(['edit', 'forget', 'restore'])(
  '%s does nothing to a state that is another than the one that was seen',
  async (command) => {
    const { version } = await shown();
    const old = ['--state-version', String(version)];
    await json('state', 'edit', KEY, '{"seqs":[]}', ...WHY, ...old);
    const [{ id }] = (await audit()) as [Entry];
    const words = { edit: ['{"seqs":[1]}'], forget: [], restore: [id] }[command]!;
    const late = await run('state', command, KEY, ...words, ...WHY, ...old);
    expect([late.status, late.err]).toEqual([1, expect.stringContaining(`version ${version}`)]);
    expect(await audit()).toHaveLength(1);
  },
);

test.each([
  ['edit', KEY, '{}'],
  ['forget', KEY],
  ['restore', KEY, '1'],
])('a state is not changed without a reason, nor without a yes: %s', async (...command) => {
  const reasonless = await run('state', ...command, '--yes');
  expect([reasonless.status, reasonless.err]).toEqual([2, expect.stringContaining('reason')]);
  const unasked = await run('state', ...command, '--reason', 'none');
  expect([unasked.status, unasked.err]).toEqual([2, expect.stringContaining('Add --yes')]);
  expect(await audit()).toEqual([]);
});

test('what is not there is said to be missing', async () => {
  const { status, err } = await run('state', 'restore', KEY, '999999', ...WHY);
  expect([status, err]).toEqual([4, expect.stringContaining('999999')]);
  expect((await run('state', 'edit', KEY, 'no json', ...WHY)).status).toBe(2);
  const digest = await run('state', 'show', 'sha256:0123456789abcdef');
  expect([digest.status, digest.err.replaceAll(/\s+/g, ' ')]).toEqual([
    4,
    expect.stringContaining('Type the key itself'),
  ]);
  const unknown = await cli(['audit'], { ...env, MISSISSIPPI_SCHEMA: `${env['MISSISSIPPI_SCHEMA']!}x` });
  expect(unknown.status).not.toBe(0);
});

test('what is said of the store has no password in it, wherever the url had it', async () => {
  const url = new URL(env['MISSISSIPPI_STORE_URL']!);
  url.password = '';
  url.searchParams.set('password', 's3cret');
  const refused = await cli(['state', 'show', KEY], { ...env, MISSISSIPPI_STORE_URL: url.href });
  expect([refused.status, refused.out]).toEqual([5, '']);
  const doctor = await cli(['doctor', '--json'], { ...env, MISSISSIPPI_STORE_URL: url.href });
  expect(doctor.out).toContain('store');
  url.port = '1';
  const away = await cli(['audit'], { ...env, MISSISSIPPI_STORE_URL: url.href });
  expect([away.status, away.out]).toEqual([3, '']);
  expect(refused.err + doctor.out + doctor.err + away.err).not.toContain('s3cret');
});

test('the commands and what they take are in the help and in the completion', async () => {
  const { out } = await run('state', '--help');
  for (const command of ['show', 'edit', 'forget', 'restore']) expect(out).toContain(`state ${command} <key>`);
  const restore = await run('state', 'restore', '--help');
  for (const word of ['<key> <id>', '--reason', '--by', '--state-version', '--yes'])
    expect(restore.out).toContain(word);
  const words = await run('--get-yargs-completions', 'mississippi', 'state', '');
  expect(words.out.split('\n')).toEqual(expect.arrayContaining([expect.stringMatching(/^restore/)]));
});
