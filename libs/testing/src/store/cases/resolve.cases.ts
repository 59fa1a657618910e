import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { flipped, lostOf, stateOf } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';

const TIMES = 3;

/** What became of a commit whose answer was lost. */
export const resolveCases: readonly StoreConformanceCase[] = [
  storeCase('a commit that happened is committed, as often as it is asked', async (stage) => {
    const owner = await stage.owner();
    const other = await stage.connect();
    for (let number = 1; number <= 3; number++) {
      const commit = await owner.put(stage.key(), `state ${number}`);
      const lost = lostOf(commit);
      for (let time = 0; time < TIMES; time++) {
        assert.equal(await owner.connection.resolve(lost), 'committed', 'what became of it');
        assert.equal(await other.resolve(lostOf(commit)), 'committed', 'what another connection learns');
      }
    }
    await owner.put(stage.key(), 'last');
    await stage.assertState(owner.connection, stage.key(), 'last', 'the state');
  }),

  storeCase('a commit that has not happened is void, as often as it is asked, and never happens', async (stage) => {
    const owner = await stage.owner();
    await owner.put(stage.key(), 'old');
    const [entry, message] = [stage.entry(), stage.message()];
    const late = owner.next({ states: [stateOf(stage.key(), 'late')], handled: [entry], outbox: [message] });
    const lost = lostOf(late);
    for (let time = 0; time < TIMES; time++) {
      assert.equal(await owner.connection.resolve(lost), 'void', 'what became of it');
      assert.deepEqual(await owner.connection.commit([late]), ['stale'], 'the verdict when it arrives late');
    }
    await stage.assertState(owner.connection, stage.key(), 'old', 'the state');
    await stage.assertEntry(owner.connection, entry, undefined, 'the inbox');
    await stage.assertOutbox(owner.connection, [], 'the outbox');
    // The same items go again, with the next number, after the token of the void.
    owner.follow({ number: late.number, token: lost.voidToken });
    await owner.commit(late);
    await stage.assertState(owner.connection, stage.key(), 'late', 'the state at last');
    await stage.assertEntry(owner.connection, entry, entry, 'the inbox at last');
    assert.deepEqual(await owner.connection.commit([late]), ['stale'], 'the verdict when it arrives later');
  }),

  storeCase('what follows a void commit names the token of the void', async (stage) => {
    const owner = await stage.owner();
    await owner.put(stage.key(), 'old');
    const { number, previous, token } = await owner.makeVoid();
    for (const wrong of [previous, token, randomBytes(16)]) {
      owner.follow({ number, token: wrong });
      const commit = owner.next({ states: [stateOf(stage.key(), 'wrong')] });
      assert.deepEqual(await owner.connection.commit([commit]), ['stale'], 'the verdict with another token');
    }
    await stage.assertState(owner.connection, stage.key(), 'old', 'the state');
  }),

  storeCase('the first commit of an epoch can be void, and several after one another', async (stage) => {
    const owner = await stage.owner();
    const commits = [await owner.makeVoid(), await owner.makeVoid(), await owner.makeVoid()];
    for (const commit of commits) assert.deepEqual(await owner.connection.commit([commit]), ['stale'], 'its verdict');
    await owner.put(stage.key(), 'works');
    assert.equal(owner.number, 4, 'the number after them');
  }),

  storeCase('a number that a commit with another token took is stale', async (stage) => {
    const owner = await stage.owner();
    const commit = await owner.put(stage.key(), 'state');
    for (const token of [randomBytes(16), Buffer.alloc(16), flipped(commit.token, 0), flipped(commit.token, 15)]) {
      assert.equal(await owner.connection.resolve(lostOf({ ...commit, token })), 'stale', 'what became of the other');
    }
    assert.equal(await owner.connection.resolve(lostOf(commit)), 'committed', 'what became of it');
    await owner.put(stage.key(), 'works');
  }),

  storeCase('a number that was made void by another question is stale', async (stage) => {
    const owner = await stage.owner();
    const commit = await owner.makeVoid();
    assert.equal(await owner.connection.resolve(lostOf(commit)), 'stale', 'what another question learns');
    await owner.put(stage.key(), 'works');
  }),

  storeCase(
    'a commit that names another token before it is stale, and to ask for it changes nothing',
    async (stage) => {
      const owner = await stage.owner();
      await owner.put(stage.key(), 'old');
      const next = owner.next();
      for (const previous of [randomBytes(16), flipped(next.previous, 0), flipped(next.previous, 15), next.token]) {
        assert.equal(
          await owner.connection.resolve(lostOf({ ...next, previous })),
          'stale',
          'what became of the other',
        );
      }
      assert.deepEqual(await owner.connection.commit([next]), ['committed'], 'the verdict of the right one');
    },
  ),

  storeCase('a commit of a former epoch is stale, and to ask for it changes nothing', async (stage) => {
    const former = await stage.owner();
    const [done, open] = [await former.put(stage.key(), 'former'), former.next()];
    const owner = await stage.owner();
    for (const commit of [done, open]) {
      assert.equal(
        await former.connection.resolve(lostOf(commit)),
        'stale',
        'what became of it before the next commit',
      );
    }
    const first = await owner.put(stage.key(), 'first');
    for (const commit of [done, open]) {
      assert.equal(await former.connection.resolve(lostOf(commit)), 'stale', 'what became of it after the same number');
    }
    assert.equal(await owner.connection.resolve(lostOf(first)), 'committed', 'what became of the new first one');
    await owner.put(stage.key(), 'second');
  }),

  storeCase('a commit of an epoch to come, or of a shard that nobody opened, is stale', async (stage) => {
    const owner = await stage.owner();
    const commit = owner.next();
    const became = (parts: Partial<typeof commit>) => owner.connection.resolve(lostOf({ ...commit, ...parts }));
    assert.equal(await became({ epoch: 2 }), 'stale', 'a higher epoch');
    assert.equal(await became({ shard: 5 }), 'stale', 'another shard');
    assert.equal(await became({ shard: 5, epoch: 0 }), 'stale', 'another shard and no epoch');
    assert.deepEqual(await owner.connection.commit([commit]), ['committed'], 'the verdict');
    assert.equal((await owner.connection.openShard(5)).epoch, 1, 'the first epoch of the other shard');
  }),

  storeCase('a number that is far away is stale, and to ask for it changes nothing', async (stage) => {
    const owner = await stage.owner();
    const commits = [await owner.put(stage.key(), 'first'), await owner.put(stage.key(), 'second')];
    const next = owner.next();
    const ahead = lostOf({ ...next, number: next.number + 1 });
    assert.equal(await owner.connection.resolve(lostOf(commits[0]!)), 'stale', 'what is known of an earlier one');
    assert.equal(await owner.connection.resolve(ahead), 'stale', 'the one after the next');
    assert.deepEqual(await owner.connection.commit([next]), ['committed'], 'the verdict of the next');
  }),

  storeCase('other shards go on while one is asked for', async (stage) => {
    const owner = await stage.owner();
    const other = await stage.own(owner.connection, 1);
    await other.commit();
    const late = await owner.makeVoid({ states: [stateOf(stage.key(), 'late')] });
    const group = [late, other.next({ states: [stateOf(stage.key(1), 'new')] })];
    assert.deepEqual(await owner.connection.commit(group), ['stale', 'committed'], 'the verdicts of the late group');
    await stage.assertState(owner.connection, stage.key(), undefined, 'the state of the void one');
    await stage.assertState(owner.connection, stage.key(1), 'new', 'the state of the other');
  }),
];
