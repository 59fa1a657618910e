import assert from 'node:assert/strict';
import type { InboxEntry, ShardCommit } from '@mississippi/core/store';
import { stateOf, type ShardOwner } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';
import type { StoreStage } from '../store-stage.js';

/** Commits of several shards in one transaction. */
export const groupCases: readonly StoreConformanceCase[] = [
  storeCase('a commit writes states, inbox and outbox, and removes rows, together', async (stage) => {
    const owner = await stage.owner();
    const [first, second] = [stage.message(), stage.message()];
    const entries = [stage.entry(), stage.entry()];
    const [a, b] = stage.keys(2);
    await owner.commit({ outbox: [first] });
    const [row] = await stage.outbox(owner.connection);
    await owner.commit({
      states: [stateOf(a!, 'of a'), stateOf(b!, 'of b')],
      handled: entries,
      outbox: [second],
      sent: [row!.position],
    });
    await stage.assertState(owner.connection, a!, 'of a', 'a state');
    await stage.assertState(owner.connection, b!, 'of b', 'another state');
    for (const entry of entries) await stage.assertEntry(owner.connection, entry, entry, 'the inbox');
    await stage.assertOutbox(owner.connection, [second], 'the outbox');
  }),

  storeCase('an empty commit takes a number, and an empty group answers', async (stage) => {
    const owner = await stage.owner();
    assert.deepEqual(await owner.connection.commit([]), [], 'the verdicts of nothing');
    const commit = await owner.commit();
    assert.deepEqual(await owner.connection.commit([commit]), ['stale'], 'the verdict of the same once more');
    await owner.commit();
  }),

  storeCase('the stale ones of a group write nothing, and the others everything', async (stage) => {
    const { owners, connection } = await several(stage, 6);
    for (const shard of [0, 3, 5]) await connection.openShard(shard);
    const entries = owners.map(({ shard }) => stage.entry({ key: stage.key(shard) }));
    const messages = owners.map(() => stage.message());
    // Neither by their numbers nor from one end to the other.
    const order = [4, 0, 2, 5, 1, 3];
    const commits = order.map((index) =>
      owners[index]!.next({
        states: [stateOf(stage.key(index), 'new')],
        handled: [entries[index]!],
        outbox: [messages[index]!],
      }),
    );
    const verdicts = await connection.commit(commits);
    assert.deepEqual(verdicts, ['committed', 'stale', 'committed', 'stale', 'committed', 'stale'], 'the verdicts');
    for (const shard of order) {
      const isStale = [0, 3, 5].includes(shard);
      const entry = entries[shard]!;
      await stage.assertState(connection, stage.key(shard), isStale ? 'old' : 'new', `the state of shard ${shard}`);
      await stage.assertEntry(connection, entry, isStale ? undefined : entry, `the inbox of shard ${shard}`);
      await stage.assertOutbox(connection, isStale ? [] : [messages[shard]!], `the outbox of ${shard}`, shard);
    }
    for (const index of [1, 2, 4]) await owners[index]!.put(stage.key(index), 'newer');
  }),

  storeCase('a stale commit removes no rows, of whichever shard', async (stage) => {
    const { owners, connection } = await several(stage, 2);
    const messages = owners.map(() => stage.message());
    for (const [index, owner] of owners.entries()) await owner.commit({ outbox: [messages[index]!] });
    const sent = (await Promise.all([0, 1].map((shard) => stage.outbox(connection, shard)))).flat();
    await connection.openShard(0);
    const stale = owners[0]!.next({ sent: sent.map(({ position }) => position) });
    assert.deepEqual(await connection.commit([stale, owners[1]!.next()]), ['stale', 'committed'], 'the verdicts');
    for (const shard of [0, 1]) await stage.assertOutbox(connection, [messages[shard]!], 'the outbox', shard);
  }),

  storeCase('a group of which one commit is refused writes nothing, and may be sent in parts', async (stage) => {
    const { owners, connection } = await several(stage, 4);
    const known = stage.entry({ key: stage.key(2) });
    await owners[2]!.commit({ handled: [known], outbox: [stage.message()] });
    const [row] = await stage.outbox(connection, 2);
    const entries = owners.map(({ shard }) => stage.entry({ key: stage.key(shard) }));
    const group = owners.map((owner, index) =>
      owner.next({
        states: [stateOf(stage.key(index), 'new')],
        handled: index === 2 ? [entries[2]!, known] : [entries[index]!],
        outbox: [stage.message()],
        sent: index === 1 ? [row!.position] : [],
      }),
    );
    const send = (commits: ShardCommit[]) => () => connection.commit(commits);
    await stage.refused(send(group), 'known', 'a group with a known message');
    for (const [shard, entry] of entries.entries()) {
      await stage.assertState(connection, stage.key(shard), 'old', `the state of shard ${shard}`);
      await stage.assertEntry(connection, entry, undefined, `the inbox of shard ${shard}`);
      await stage.assertOutbox(connection, shard === 2 ? [row!.message] : [], `the outbox of ${shard}`, shard);
    }
    assert.deepEqual(await connection.commit(group.slice(0, 2)), ['committed', 'committed'], 'the first half');
    await stage.refused(send(group.slice(2)), 'known', 'the second half');
    await stage.refused(send(group.slice(2, 3)), 'known', 'the culprit');
    assert.deepEqual(await connection.commit(group.slice(3)), ['committed'], 'the last');
    owners[2]!.takeBack(group[2]!);
    for (const owner of owners) await owner.commit();
    await stage.assertState(connection, stage.key(2), 'old', 'the state of the culprit');
  }),

  storeCase('what a stale commit holds cannot refuse a group', async (stage) => {
    const { owners, connection } = await several(stage, 2);
    const known = stage.entry();
    await owners[0]!.commit({ handled: [known] });
    await connection.openShard(0);
    const group = [owners[0]!.next({ handled: [known] }), owners[1]!.next({ states: [stateOf(stage.key(1), 'new')] })];
    assert.deepEqual(await connection.commit(group), ['stale', 'committed'], 'the verdicts');
    await stage.assertState(connection, stage.key(1), 'new', 'the state of the other');
  }),

  storeCase('a refused commit leaves its number free', async (stage) => {
    const owner = await stage.owner();
    const known = stage.entry();
    await owner.commit({ handled: [known] });
    const refused = owner.next({ handled: [known] });
    await stage.refused(() => owner.connection.commit([refused]), 'known', 'a known message');
    owner.takeBack(refused);
    await owner.put(stage.key(), 'next');
  }),

  storeCase('a commit of a thousand items of a thousand keys', async (stage) => {
    const owner = await stage.owner();
    const keys = stage.keys(1_000);
    const entries = keys.map((key): InboxEntry => stage.entry({ key }));
    const messages = stage.messages(1_000);
    const states = keys.map((key, index) => stateOf(key, `state ${index}`));
    await owner.commit({ states, handled: entries, outbox: messages });
    const loaded = await owner.connection.load(keys);
    assert.deepEqual(
      loaded.map((state) => state && Buffer.from(state.bytes).toString()),
      keys.map((_key, index) => `state ${index}`),
      'the states',
    );
    const found = await owner.connection.lookUp(entries);
    assert.deepEqual(
      found.map((entry) => entry?.messageId),
      entries.map(({ messageId }) => messageId),
      'the inbox',
    );
    const rows = await stage.outbox(owner.connection);
    await stage.assertOutbox(owner.connection, messages, 'the outbox');
    await owner.commit({ sent: rows.map(({ position }) => position) });
    await stage.assertOutbox(owner.connection, [], 'the outbox afterwards');
  }),

  storeCase('a group of 200 shards', async (stage) => {
    const shards = { transport: 'conformance', totalCount: 256, hash: 'phash2' };
    const connection = await stage.connect({ instance: 'wide', shards });
    const owners: ShardOwner[] = [];
    for (let shard = 0; shard < 200; shard++) owners.push(await stage.own(connection, shard));
    await connection.openShard(77);
    const keys = stage.keys(200);
    const group = owners.map((owner, index) => owner.next({ states: [stateOf(keys[index]!, `state ${index}`)] }));
    const verdicts = await connection.commit(group);
    assert.deepEqual(
      verdicts,
      group.map(({ shard }) => (shard === 77 ? 'stale' : 'committed')),
      'the verdicts',
    );
    const loaded = await connection.load(keys);
    assert.deepEqual(
      loaded.map((state) => state && Buffer.from(state.bytes).toString()),
      keys.map((_key, index) => (index === 77 ? undefined : `state ${index}`)),
      'the states',
    );
  }),
];

/** Owners of the first shards, each with an old state. */
async function several(stage: StoreStage, count: number) {
  const connection = await stage.connect();
  const owners: ShardOwner[] = [];
  for (let shard = 0; shard < count; shard++) {
    const owner = await stage.own(connection, shard);
    await owner.put(stage.key(shard), 'old');
    owners.push(owner);
  }
  return { owners, connection };
}
