import assert from 'node:assert/strict';
import { StoreInUseError, StoreMismatchError } from '@mississippi/core';
import { lostOf } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';
import type { StoreStage } from '../store-stage.js';

const OTHERS = [
  { transport: 'another', totalCount: 8, hash: 'phash2' },
  { transport: 'conformance', totalCount: 16, hash: 'phash2' },
  { transport: 'conformance', totalCount: 8, hash: 'another' },
];

/** Who is let in, and what is there then. */
export const connectingCases: readonly StoreConformanceCase[] = [
  storeCase('what was committed is there for every connection, and after all were closed', async (stage) => {
    const owner = await stage.owner();
    const [entry, message] = [stage.entry(), stage.message()];
    await owner.put(stage.key(), 'kept');
    await owner.commit({ handled: [entry], outbox: [message] });
    const second = await stage.connect();
    await stage.assertState(second, stage.key(), 'kept', 'the state for another connection');
    await Promise.all([owner.connection.close(), second.close()]);
    const third = await stage.connect();
    await stage.assertState(third, stage.key(), 'kept', 'the state for a later connection');
    await stage.assertEntry(third, entry, entry, 'the inbox for a later connection');
    await stage.assertOutbox(third, [message], 'the outbox for a later connection');
  }),

  storeCase('many processes may connect to an empty database at once', async (stage) => {
    const connections = await Promise.all(Array.from({ length: 5 }, () => stage.connect()));
    for (const [index, connection] of connections.entries()) {
      assert.deepEqual(connection.status(), { connected: true }, 'the status');
      await (await stage.own(connection, index)).put(stage.key(index), 'works');
    }
  }),

  storeCase('instances have nothing in common', async (stage) => {
    const one = await stage.owner();
    const other = await stage.own(await stage.connect({ instance: 'Conformance' }));
    const entry = stage.entry();
    assert.deepEqual([one.epoch, other.epoch], [1, 1], 'each counts its own epochs');
    await one.commit({ handled: [entry], outbox: [stage.message()] });
    await one.put(stage.key(), 'of one');
    await stage.assertState(other.connection, stage.key(), undefined, 'the state of the other instance');
    await stage.assertEntry(other.connection, entry, undefined, 'the inbox of the other instance');
    await stage.assertOutbox(other.connection, [], 'the outbox of the other instance');
    await other.commit({ handled: [entry] });
    await other.put(stage.key(), 'of the other');
    await stage.assertState(one.connection, stage.key(), 'of one', 'the state of the first instance');
  }),

  ...OTHERS.map((shards) =>
    storeCase(`an instance is refused with ${inWords(shards)}`, async (stage) => {
      const owner = await stage.owner();
      await owner.put(stage.key(), 'before');
      await stage.rejected(() => stage.connect({ shards }), StoreMismatchError, 'a connection with other shards');
      await owner.put(stage.key(), 'after');
      await owner.connection.close();
      await stage.rejected(() => stage.connect({ shards }), StoreMismatchError, 'one when nobody else is connected');
      await stage.connect({ shards, instance: 'another' });
      await stage.assertState(await stage.connect(), stage.key(), 'after', 'the state');
    }),
  ),

  storeCase('an exclusive instance lets one process in, until that one closes', async (stage) => {
    const first = await exclusive(stage);
    await stage.rejected(() => exclusive(stage), StoreInUseError, 'a second process');
    await exclusive(stage, 'another');
    await (await stage.own(first)).put(stage.key(), 'works');
    await first.close();
    await (await stage.own(await exclusive(stage))).put(stage.key(), 'works too');
    await stage.rejected(() => exclusive(stage), StoreInUseError, 'a process beside the second one');
  }),

  storeCase('of many processes that want an exclusive instance at once one gets it', async (stage) => {
    const claims = await Promise.allSettled(Array.from({ length: 5 }, () => exclusive(stage)));
    const refusals = claims.filter((claim) => claim.status === 'rejected');
    assert.equal(refusals.length, 4, 'the number of refusals');
    for (const { reason } of refusals) assert.ok(reason instanceof StoreInUseError, `not ${String(reason)}`);
  }),

  storeCase(
    'a killed process gives an exclusive instance free',
    async (stage) => {
      await stage.crash(await exclusive(stage));
      await exclusive(stage);
    },
    ['crash'],
  ),

  storeCase('a closed connection refuses everything, and may be closed again', async (stage) => {
    const owner = await stage.owner();
    const { connection, epoch } = owner;
    const commit = owner.next();
    await connection.close();
    await connection.close();
    assert.equal(connection.status().connected, false, 'whether it is connected');
    const key = stage.key();
    const calls = {
      openShard: () => connection.openShard(0),
      load: () => connection.load([key]),
      lookUp: () => connection.lookUp([{ key, messageId: 'm' }]),
      commit: () => connection.commit([commit]),
      resolve: () => connection.resolve(lostOf(commit)),
      maintain: () => connection.maintain([{ shard: 0, epoch }]),
      outbox: () => connection.outbox(0, undefined, 1),
    };
    for (const [name, call] of Object.entries(calls)) {
      await stage.rejected(call, Error, `${name} on a closed connection`);
    }
    assert.equal((await stage.owner()).epoch, epoch + 1, 'the next epoch');
  }),
];

function exclusive(stage: StoreStage, instance = 'conformance') {
  return stage.connect({ instance, exclusive: true });
}

function inWords({ transport, totalCount, hash }: (typeof OTHERS)[number]): string {
  return `the transport ${transport}, ${totalCount} shards and the hash ${hash}, when it had others`;
}
