import { encodeShardingKey, StoreAccessError } from '@mississippi/core';
import { postgres } from '@mississippi/postgres';
import { StoreInspection } from '@mississippi/postgres/inspection';
import { Administrator, newSchema, urlOf } from '../support/postgres-schemas.js';
import { sharedPostgres } from '../support/postgres.js';
import { commitOf, contextOf, KEY, stateOf } from '../support/store-user.js';

const administrator = new Administrator();
let schema: string;
let inspection: StoreInspection;

beforeEach(() => {
  schema = newSchema();
  inspection = new StoreInspection({ connectionString: sharedPostgres(), schema });
});

afterEach(async () => {
  await inspection.close();
  await administrator.run(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
});

afterAll(() => administrator.close());

const instances = () => administrator.rows(`SELECT * FROM ${schema}.instances`);

test('a look into a store tells what is there, and changes nothing', async () => {
  const context = contextOf();
  const store = await postgres({ connectionString: sharedPostgres(), schema }).connect(context);
  const opening = await store.openShard(0);
  await store.commit([commitOf(opening, 1, { states: [stateOf('kept')] })]);
  await store.close();
  const before = await instances();
  const { known } = await inspection.facts();
  expect(await inspection.facts()).toMatchObject({
    schema,
    version: known,
    oldest: known,
    instances: [{ name: context.instance, ...context.shards }],
  });
  const { bytes } = stateOf('kept').state!;
  const state = await inspection.state(context.instance, KEY);
  expect(Buffer.from(state!.bytes)).toEqual(Buffer.from(bytes));
  expect(state!.version).toBe(await administrator.value(`SELECT revision::int4 FROM ${schema}.states`));
  expect(await inspection.state('another', KEY)).toBeUndefined();
  expect(await inspection.state(context.instance, encodeShardingKey('another'))).toBeUndefined();
  expect(await instances()).toEqual(before);
});

test('where there is no store, none is made', async () => {
  expect(await inspection.facts()).toMatchObject({ version: 0, instances: [] });
  expect(await inspection.state('default', KEY)).toBeUndefined();
  expect(await administrator.value(`SELECT to_regnamespace('${schema}')`)).toBeNull();
});

test('a wrong password is told as such', async () => {
  const connectionString = urlOf((url) => Object.assign(url, { username: 'nobody', password: 's3cret' }));
  const refused = new StoreInspection({ connectionString, schema });
  const error: unknown = await refused.facts().catch((thrown: unknown) => thrown);
  await refused.close();
  expect(error).toBeInstanceOf(StoreAccessError);
  expect((error as Error).message).not.toContain('s3cret');
});
