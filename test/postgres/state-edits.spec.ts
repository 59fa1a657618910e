import { setTimeout as delay } from 'node:timers/promises';
import { memory } from '@mississippi/core';
import type { Applied } from '@mississippi/history';
import { postgres } from '@mississippi/postgres';
import { mark, startAppliedApp, upTo, type AppliedApp } from '../support/applied-app.js';
import { History } from '../support/history.js';
import { Administrator, newSchema } from '../support/postgres-schemas.js';
import { sharedPostgres } from '../support/postgres.js';
import { Seeded } from '../support/seeded.js';
import { keysNamed, Workload } from '../support/workload.js';

const EDITED = 'edited';
const OTHERS = keysNamed('other', 20);

const administrator = new Administrator();
let schema: string;
let history: History;
let app: AppliedApp;

beforeEach(async () => {
  schema = newSchema();
  history = new History();
  const store = postgres({ connectionString: sharedPostgres(), schema });
  app = await startAppliedApp({ history, store, transport: memory({ totalCount: 4 }) });
});

afterEach(async () => {
  await app.close();
  await administrator.run(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
});

afterAll(() => administrator.close());

async function state(): Promise<Applied> {
  return (await app.operator.state<Applied>(EDITED))!.state!;
}

test('of those who edit one version at once, one wins, each time, and the trail has the winners', async () => {
  const { operator } = app;
  const winners: string[] = [];
  for (let round = 0; round < 20; round++) {
    const version = (await operator.state(EDITED))?.version;
    const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}${round}`);
    const edits = await Promise.allSettled(
      names.map((by) => operator.editState(EDITED, { marks: [by] }, { version, by, reason: 'a race' })),
    );
    const won = names.filter((_name, index) => edits[index]!.status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const edit of edits)
      if (edit.status === 'rejected') expect(edit.reason).toMatchObject({ code: 'state_version' });
    expect((await state()).marks).toEqual(won);
    winners.push(...won);
  }
  const { entries } = await operator.audit({ key: EDITED });
  expect(entries.map(({ by }) => by)).toEqual(winners.toReversed());
  for (const [index, { versionBefore }] of entries.entries()) {
    expect(versionBefore).toBe(entries[index + 1]?.versionAfter ?? 0);
  }
});

test('of an edit and a restoration of one version, one wins, in the same way as with a deletion', async () => {
  const { operator } = app;
  await operator.editState(EDITED, { marks: ['first'] }, { by: 'ann', reason: 'a race' });
  await mark(operator, EDITED, 'second');
  const { id } = (await operator.audit()).entries[0]!;
  for (let round = 0; round < 10; round++) {
    const change = { version: (await operator.state(EDITED))!.version, by: 'ann', reason: 'a race' };
    const ends = await Promise.allSettled([
      operator.restoreState(EDITED, id, change),
      operator.editState(EDITED, { marks: ['edit'] }, change),
      operator.forgetState(EDITED, change),
    ]);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    if ((await operator.state(EDITED)) === undefined) {
      await operator.editState(EDITED, { marks: ['again'] }, { by: 'ann', reason: 'a race' });
    }
  }
});

test('while messages of the key flow, an edit loses no effect of any, and none has it twice', async () => {
  const { producer, operator } = app;
  const random = new Seeded(1);
  const edited = new Workload(producer, history, { keys: [EDITED], random });
  const others = new Workload(producer, history, { keys: OTHERS, random, pipeline: 8, backlog: 20 });
  let flows = true;
  const flow = async (): Promise<void> => {
    // With pauses, or each version would be gone before it could be named.
    for (; flows; await delay(random.below(120))) await edited.publishKey(EDITED, 1 + random.below(3));
  };
  const publishing = Promise.all([flow(), others.publish()]);
  const names = Array.from({ length: 12 }, (_item, index) => `mark ${index}`);
  for (const name of names) {
    await mark(operator, EDITED, name);
    const handled = history.handledWhere((key) => key === EDITED);
    await history.until('more was handled', () => history.handledWhere((key) => key === EDITED) > handled + 5);
  }
  flows = false;
  others.stop();
  await publishing;
  await history.untilNothingOpen();
  await app.close();
  const { violations } = history.check({ ackDelay: 0, settlesLater: true });
  expect(violations).toEqual([]);
  const count = edited.published().length;
  const [{ bytes }] = (await administrator.rows(
    `SELECT bytes FROM ${schema}.states WHERE position('edited'::bytea IN key) > 0`,
  )) as [{ bytes: Buffer }];
  const { seqs, marks } = JSON.parse(bytes.toString()) as Applied;
  expect(seqs).toEqual(upTo(count));
  expect(marks).toEqual(names);
  expect(await administrator.value(`SELECT count(*)::int FROM ${schema}.audit`)).toBe(names.length);
});
