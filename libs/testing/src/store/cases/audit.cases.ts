import assert from 'node:assert/strict';
import type { AuditedState, AuditQuestion, LoadedState, StateAudit, StoreConnection } from '@mississippi/core/store';
import { assertBytes } from '../../conformance/assertions.js';
import { stateOf } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';

/** What a careless store takes for the end of a text, for its own syntax, or for another text. */
const ODD_TEXT = `'"; \\ $1 % ü 𝄞 \n \t ${'x'.repeat(1_000)}`;

function auditOf(key: Uint8Array, own: Partial<StateAudit> = {}): StateAudit {
  return { key, action: 'edited', by: 'ann', reason: 'a test', process: 'p1', previous: undefined, ...own };
}

async function loaded(connection: StoreConnection, key: Uint8Array): Promise<LoadedState> {
  const [state] = await connection.load([key]);
  assert.ok(state !== undefined, 'a state that was written must be there');
  return state;
}

async function reasons(connection: StoreConnection, question: Partial<AuditQuestion> = {}): Promise<string[]> {
  const rows = await connection.audit({ key: undefined, since: undefined, limit: 100, ...question });
  return rows.map(({ reason }) => reason);
}

function assertAudit(actual: AuditedState, expected: StateAudit): void {
  const { key, previous, action, by, reason, process } = actual;
  assertBytes(key, expected.key, 'the key');
  const { previous: former } = expected;
  assertBytes(previous?.bytes, former?.bytes, 'the bytes of the state before');
  assert.deepEqual(
    { action, by, reason, process, version: previous?.version, revision: previous?.revision },
    {
      action: expected.action,
      by: expected.by,
      reason: expected.reason,
      process: expected.process,
      version: former?.version,
      revision: former?.revision,
    },
  );
}

/** Revisions of states, and what operators did to them. */
export const auditCases: readonly StoreConformanceCase[] = [
  storeCase(
    'a state has another, larger revision after each commit that writes it, and after no other',
    async (stage) => {
      const owner = await stage.owner();
      const [key, other] = stage.keys(2);
      const revisions = [0];
      for (const text of ['one', 'two', 'two', undefined, 'three', undefined, 'one']) {
        await owner.commit({ states: [stateOf(key!, text ?? '', text === undefined ? { state: undefined } : {})] });
        await owner.put(other!, 'of another key');
        await owner.commit({ handled: [stage.entry({ key: key! })] });
        if (text === undefined) continue;
        const { revision } = await loaded(owner.connection, key!);
        assert.ok(
          Number.isSafeInteger(revision) && revision > revisions.at(-1)!,
          `${revision} after ${revisions.join()}`,
        );
        assert.equal((await loaded(owner.connection, key!)).revision, revision, 'the revision at the second look');
        revisions.push(revision);
      }
    },
  ),

  storeCase('a state says when it was changed last', async (stage) => {
    const owner = await stage.owner();
    await owner.put(stage.key(), 'one');
    const { changedAt } = await loaded(owner.connection, stage.key());
    assert.ok(changedAt !== undefined && Number.isFinite(changedAt.getTime()), 'the time must be one');
    await stage.becomes('the clock of the store to go on', async () => {
      await owner.put(stage.key(), 'two');
      return (await loaded(owner.connection, stage.key())).changedAt! > changedAt;
    });
  }),

  storeCase('what an operator did to a state is kept with it, as it was handed over', async (stage) => {
    const owner = await stage.owner();
    const [key, long] = [stage.key(), Buffer.alloc(5_000, 7)];
    const made = auditOf(key, { by: ODD_TEXT, reason: ODD_TEXT, process: ODD_TEXT });
    await owner.commit({ states: [stateOf(key, 'made')], audit: [made] });
    const before = await loaded(owner.connection, key);
    const edited = auditOf(long, { previous: { ...before, bytes: Buffer.alloc(1_000_000, 1), version: 3 } });
    await owner.commit({ states: [stateOf(long, '')], audit: [edited] });
    const forgotten = auditOf(key, { action: 'forgotten', previous: before });
    await owner.commit({ states: [stateOf(key, '', { state: undefined })], audit: [forgotten] });
    const rows = await owner.connection.audit({ key: undefined, since: undefined, limit: 10 });
    assert.equal(rows.length, 3, 'how many there are');
    for (const [index, expected] of [forgotten, edited, made].entries()) assertAudit(rows[index]!, expected);
    const revisions = [undefined, (await loaded(owner.connection, long)).revision, before.revision];
    assert.deepEqual(
      rows.map(({ revision }) => revision),
      revisions,
      'the revisions afterwards',
    );
    assert.equal(new Set(rows.map(({ id }) => id)).size, 3, 'how many ids there are');
    await stage.assertState(owner.connection, key, undefined, 'the state that was forgotten');
  }),

  storeCase(
    'what operators did is listed from the newest on, of one key or all, from a time on, up to a limit',
    async (stage) => {
      const owner = await stage.owner();
      const [a, b] = stage.keys(2);
      for (const [index, key] of [a!, b!, a!, b!, a!].entries()) {
        const reason = `${index}`;
        await stage.becomes('the clock of the store to go on', async () => {
          const [last] = await owner.connection.audit({ key: undefined, since: undefined, limit: 1 });
          await owner.put(stage.keys(3)[2]!, reason);
          return last === undefined || (await loaded(owner.connection, stage.keys(3)[2]!)).changedAt! > last.at;
        });
        await owner.commit({ states: [stateOf(key, reason)], audit: [auditOf(key, { reason })] });
      }
      const { connection } = owner;
      assert.deepEqual(await reasons(connection), ['4', '3', '2', '1', '0'], 'all');
      assert.deepEqual(await reasons(connection, { key: a! }), ['4', '2', '0'], 'those of a key');
      assert.deepEqual(await reasons(connection, { limit: 2 }), ['4', '3'], 'the first two');
      assert.deepEqual(await reasons(connection, { key: b!, limit: 1 }), ['3'], 'the first of a key');
      const rows = await connection.audit({ key: undefined, since: undefined, limit: 10 });
      const since = rows[2]!.at;
      assert.deepEqual(await reasons(connection, { since }), ['4', '3', '2'], 'those since a time');
      assert.deepEqual(await reasons(connection, { since, key: a! }), ['4', '2'], 'those of a key since a time');
      assert.deepEqual(await reasons(connection, { key: stage.keys(3)[2]! }), [], 'those of a key without any');
    },
  ),

  storeCase('what an operator did is kept exactly where its commit is', async (stage) => {
    const owner = await stage.owner();
    const key = stage.key();
    const parts = (reason: string) => ({ states: [stateOf(key, reason)], audit: [auditOf(key, { reason })] });
    const entry = stage.entry();
    await owner.commit({ ...parts('one'), handled: [entry] });
    const known = owner.next({ ...parts('known'), handled: [entry] });
    await stage.refused(() => owner.connection.commit([known]), 'known', 'a commit with an entry that is there');
    owner.takeBack(known);
    await owner.makeVoid(parts('void'));
    await stage.own(owner.connection);
    assert.deepEqual(await owner.connection.commit([owner.next(parts('stale'))]), ['stale'], 'the former owner');
    await stage.assertState(owner.connection, key, 'one', 'the state');
    assert.deepEqual(await reasons(owner.connection), ['one'], 'what is kept');
  }),

  storeCase('what an operator did outlives its connection, and is not seen by other instances', async (stage) => {
    const owner = await stage.owner();
    const key = stage.key();
    await owner.commit({ states: [stateOf(key, 'one')], audit: [auditOf(key)] });
    await owner.connection.close();
    assert.deepEqual(await reasons(await stage.connect()), ['a test'], 'after the connection was closed');
    const other = await stage.own(await stage.connect({ instance: 'another' }));
    assert.deepEqual(await reasons(other.connection), [], 'what another instance sees');
    await other.commit({ states: [stateOf(key, 'one')], audit: [auditOf(key, { reason: 'its own' })] });
    assert.deepEqual(await reasons(other.connection), ['its own'], 'what the other instance did');
  }),
];
