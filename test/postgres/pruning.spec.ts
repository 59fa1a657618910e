import type { StoreConnection, StoreContext, ShardOpening } from '@mississippi/core/store';
import { postgres } from '@mississippi/postgres';
import { Administrator, newSchema } from '../support/postgres-schemas.js';
import { sharedPostgres } from '../support/postgres.js';
import { commitOf, contextOf, entryOf, KEY, messageOf, stateOf } from '../support/store-user.js';

const administrator = new Administrator();
const HOUR = 3_600_000;
const HORIZON = 6 * HOUR;
let schema: string;
let connection: StoreConnection;
let opening: ShardOpening;
let number: number;
let warnings: string[];

beforeEach(async () => {
  schema = newSchema();
  warnings = [];
  connection = await open();
  opening = await connection.openShard(0);
  number = 0;
});

afterEach(async () => {
  await connection.close();
  await administrator.run(`DROP SCHEMA ${schema} CASCADE`);
});

afterAll(() => administrator.close());

/** Another process, as far as the store can tell. */
async function open(context: Partial<StoreContext> = {}): Promise<StoreConnection> {
  const logger = { log: () => undefined, warn: (line: string) => void warnings.push(line), error: () => undefined };
  const store = postgres({ connectionString: sharedPostgres(), schema });
  return store.connect(contextOf({ logger, inboxHorizon: HORIZON, ...context }));
}

/** What the owner of the shard has done once a minute. */
async function prune(): Promise<void> {
  await connection.maintain([{ shard: 0, epoch: opening.epoch }]);
}

/** Handles a message. */
async function handle(messageId: string, parts: Parameters<typeof commitOf>[2] = {}): Promise<void> {
  expect(await connection.commit([commitOf(opening, ++number, { handled: [entryOf(messageId)], ...parts })])).toEqual([
    'committed',
  ]);
}

/** Time for the inbox, whose clock is the database's. */
async function pass(milliseconds: number): Promise<void> {
  const span = `interval '${milliseconds} milliseconds'`;
  await administrator.run(`UPDATE ${schema}.inbox_parts SET started_at = started_at - ${span};
    UPDATE ${schema}.shards SET opened_at = opened_at - ${span};
    UPDATE ${schema}.owners SET seen_at = seen_at - ${span};
    UPDATE ${schema}.outbox SET created_at = created_at - ${span};
    UPDATE ${schema}.states SET expires_at = expires_at - ${span}`);
}

async function isKnown(messageId: string): Promise<boolean> {
  return (await connection.lookUp([entryOf(messageId)]))[0] !== undefined;
}

describe('an entry of the inbox', () => {
  test('stays for the horizon, and is gone not long after it', async () => {
    await handle('old');
    for (let hour = 0; hour < 6; hour++) {
      await pass(HOUR);
      await prune();
      expect(await isKnown('old')).toBe(true);
      await handle(`of hour ${hour}`);
    }
    let hours = 6;
    for (; await isKnown('old'); hours++) {
      await pass(HOUR);
      await prune();
    }
    expect(hours).toBeLessThanOrEqual(9);
    expect(await isKnown('of hour 4')).toBe(true);
    expect(await administrator.value(`SELECT count(*)::int FROM ${schema}.inbox`)).toBe(6);
    expect(warnings).toEqual([]);
  });

  test('is known whichever part it stands in, and once', async () => {
    for (let hour = 0; hour < 5; hour++) {
      await handle(`of hour ${hour}`);
      await pass(HOUR);
      await prune();
    }
    for (let hour = 0; hour < 5; hour++) {
      expect(await isKnown(`of hour ${hour}`)).toBe(true);
      const commit = commitOf(opening, number + 1, { handled: [entryOf(`of hour ${hour}`)] });
      await expect(connection.commit([commit])).rejects.toMatchObject({ code: 'commit_refused' });
    }
  });

  test('of a replay goes before what it replayed, which stands in an older part', async () => {
    await handle('m', { handled: [entryOf('m', { outcome: 'exhausted' })] });
    await pass(HOUR);
    await prune();
    await handle('m', { handled: [entryOf('m', { outcome: 'discarded', replay: 1 })] });
    expect(await connection.lookUp([entryOf('m')])).toMatchObject([{ outcome: 'discarded', replay: 1 }]);
    const repeated = commitOf(opening, number + 1, { handled: [entryOf('m', { replay: 1 })] });
    await expect(connection.commit([repeated])).rejects.toMatchObject({ code: 'commit_refused' });
  });

  test('stays while a message in the outbox may be sent again that is older', async () => {
    await handle('old', { outbox: [messageOf('waits')] });
    const sent = [{ shard: 0, epoch: opening.epoch, commit: number, index: 0 }];
    for (let hour = 0; hour < 30; hour++) {
      await pass(HOUR);
      await prune();
    }
    expect(await isKnown('old')).toBe(true);
    await handle('next', { sent });
    for (let hour = 0; hour < 10; hour++) {
      await pass(HOUR);
      await prune();
    }
    expect(await isKnown('old')).toBe(false);
  });

  test('stays for the longest horizon of all instances', async () => {
    const other = await open({ instance: 'patient', inboxHorizon: 10 * HORIZON });
    await handle('old');
    for (let hour = 0; hour < 20; hour++) {
      await pass(HOUR);
      await prune();
    }
    expect(await isKnown('old')).toBe(true);
    await other.close();
  });

  test('stays for a horizon that was made longer meanwhile', async () => {
    await handle('old');
    for (let hour = 0; hour < 7; hour++) {
      await pass(HOUR);
      await prune();
    }
    await (await open({ inboxHorizon: 10 * HORIZON })).close();
    for (let hour = 0; hour < 40; hour++) {
      await pass(HOUR);
      await prune();
    }
    expect(await isKnown('old')).toBe(true);
    for (let hour = 0; hour < 40; hour++) {
      await pass(HOUR);
      await prune();
    }
    expect(await isKnown('old')).toBe(false);
  });

  test('stays while a shard has no owner that is heard of, which is told once an hour', async () => {
    const other = await open();
    const second = await other.openShard(1);
    await handle('old');
    for (let hour = 0; hour < 16; hour++) {
      await pass(HOUR);
      await prune();
    }
    expect(await isKnown('old')).toBe(true);
    expect(warnings).toEqual([
      expect.stringMatching(/The inbox grows, because shard 1 of the instance 'default' has no owner, or a new one/),
    ]);
    for (let hour = 0; hour < 9; hour++) {
      await pass(HOUR);
      await other.maintain([{ shard: 1, epoch: second.epoch }]);
      await prune();
    }
    expect(await isKnown('old')).toBe(false);
    await other.close();
  });

  test('stays while a shard is new to its owner', async () => {
    const patient = await open({ settleTime: 40 * HOUR });
    await handle('old');
    for (let hour = 0; hour < 30; hour++) {
      await pass(HOUR);
      await prune();
    }
    expect(await isKnown('old')).toBe(true);
    for (let hour = 0; hour < 20; hour++) {
      await pass(HOUR);
      await prune();
    }
    expect(await isKnown('old')).toBe(false);
    await patient.close();
  });

  test('stays while the shard is said to be open by a former owner alone', async () => {
    await handle('old');
    const former = opening;
    opening = await connection.openShard(0);
    for (let hour = 0; hour < 12; hour++) {
      await pass(HOUR);
      await connection.maintain([{ shard: 0, epoch: former.epoch }]);
    }
    expect(await isKnown('old')).toBe(true);
  });

  test('is pruned by one of several processes, once', async () => {
    const other = await open();
    await handle('old');
    for (let hour = 0; hour < 9; hour++) {
      await pass(HOUR);
      await Promise.all([prune(), other.maintain([])]);
    }
    const parts = `SELECT count(*)::int FROM ${schema}.inbox_parts WHERE started_at > now() - interval '59 minutes'`;
    expect(await administrator.value(parts)).toBeLessThanOrEqual(1);
    expect(await isKnown('old')).toBe(false);
    expect(warnings).toEqual([]);
    await other.close();
  });
});

test('a reader of the inbox for a long time holds up pruning, and pruning holds up nobody', async () => {
  await handle('old');
  const session = await administrator.session();
  await session.query('BEGIN');
  await session.query(`SELECT count(*) FROM ${schema}.inbox`);
  for (let hour = 0; hour < 8; hour++) await pass(HOUR);
  const pruning = prune();
  await handle('meanwhile');
  await pruning;
  expect(await isKnown('old')).toBe(true);
  await session.query('COMMIT');
  session.release();
  expect(warnings).toEqual([]);
});

test('expired states are removed, and those that were given a new term are not', async () => {
  const keys = Array.from({ length: 1_500 }, (_, index) => Buffer.from(`key ${index}`));
  await handle('m', { states: [...keys.map((key) => stateOf('s', key, HOUR)), stateOf('kept')] });
  await pass(2 * HOUR);
  await handle('n', { states: [stateOf('renewed', keys[7], HOUR)] });
  await prune();
  expect(await administrator.value(`SELECT count(*)::int FROM ${schema}.states`)).toBe(2);
  expect((await connection.load([KEY, keys[7]!, keys[8]!])).map((state) => state && String(state.bytes))).toEqual([
    'kept',
    'renewed',
    undefined,
  ]);
});
