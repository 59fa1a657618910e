import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ShardCommit } from '@mississippi/core/store';
import { assertBytes } from '../../conformance/assertions.js';
import { flipped, stateOf, type ShardOwner } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';
import type { StoreStage } from '../store-stage.js';

/** What a commit may say of itself that is not so. */
const STALE: readonly {
  readonly what: string;
  readonly change: (commit: ShardCommit) => Partial<ShardCommit>;
}[] = [
  { what: 'a lower epoch', change: ({ epoch }) => ({ epoch: epoch - 1 }) },
  { what: 'a much lower epoch', change: () => ({ epoch: 0 }) },
  { what: 'a higher epoch, as before a backup was restored', change: ({ epoch }) => ({ epoch: epoch + 1 }) },
  { what: 'a much higher epoch', change: ({ epoch }) => ({ epoch: epoch + 1_000 }) },
  { what: 'the number of the last commit', change: ({ number }) => ({ number: number - 1 }) },
  { what: 'the number of an earlier commit', change: () => ({ number: 1 }) },
  { what: 'a number too high by one', change: ({ number }) => ({ number: number + 1 }) },
  { what: 'a number much too high', change: ({ number }) => ({ number: number + 1_000 }) },
  { what: 'a lower epoch and its next number', change: () => ({ epoch: 2, number: 1 }) },
  { what: 'another token before it, as after a backup was restored', change: () => ({ previous: randomBytes(16) }) },
  {
    what: 'a token before it that has one bit changed',
    change: ({ previous }) => ({ previous: flipped(previous, 15) }),
  },
  { what: 'its own token before it', change: ({ token }) => ({ previous: token }) },
  { what: 'no bytes before it', change: () => ({ previous: Buffer.of() }) },
  { what: 'a shard that nobody has opened', change: () => ({ shard: 5, epoch: 1, number: 1 }) },
  { what: 'a shard that nobody has opened, and no epoch', change: () => ({ shard: 5, epoch: 0, number: 1 }) },
];

/** Only the shard's owner writes, and only the next commit. */
export const fencingCases: readonly StoreConformanceCase[] = [
  storeCase('each opening of a shard raises its epoch by one, from 1', async (stage) => {
    const [one, other] = [await stage.connect(), await stage.connect()];
    const epochs: number[] = [];
    for (const connection of [one, one, other, one]) epochs.push((await connection.openShard(3)).epoch);
    assert.deepEqual(epochs, [1, 2, 3, 4], 'the epochs');
    assert.equal((await other.openShard(4)).epoch, 1, 'the epoch of another shard');
    await Promise.all([one.close(), other.close()]);
    assert.equal((await (await stage.connect()).openShard(3)).epoch, 5, 'the epoch after all connections were closed');
  }),

  storeCase('openings of a shard at once get epochs of their own', async (stage) => {
    const connections = await Promise.all(Array.from({ length: 4 }, () => stage.connect()));
    const opening = Array.from({ length: 20 }, (_item, index) => {
      return stage.persist(() => connections[index % connections.length]!.openShard(0));
    });
    const openings = await Promise.all(opening);
    const epochs = openings.map(({ epoch }) => epoch).toSorted((a, b) => a - b);
    assert.deepEqual(
      epochs,
      Array.from({ length: 20 }, (_item, index) => index + 1),
      'the epochs',
    );
    for (const { token } of openings) assert.equal(token.length, 16, 'the bytes of a token');
    const tokens = new Set(openings.map(({ token }) => Buffer.from(token).toString('hex')));
    assert.equal(tokens.size, openings.length, 'the number of tokens');
  }),

  storeCase('the pseudo-shard -1 is opened, committed and read as others are', async (stage) => {
    const owner = await stage.owner(-1);
    const message = stage.message({ source: undefined });
    await owner.commit({ outbox: [message] });
    await stage.assertOutbox(owner.connection, [message], 'the outbox of -1', -1);
    assert.equal((await stage.outbox(owner.connection, -1))[0]?.position.shard, -1, 'the shard in the position');
    await stage.assertOutbox(owner.connection, [], 'the outbox of 0');
  }),

  storeCase('the owner commits one number after the other, and each epoch begins with 1', async (stage) => {
    const connection = await stage.connect();
    for (let epoch = 1; epoch <= 3; epoch++) {
      const owner = await stage.own(connection);
      for (let number = 1; number <= 12; number++) await owner.put(stage.key(), `${epoch}.${number}`);
      await stage.assertState(connection, stage.key(), `${epoch}.12`, 'the state');
    }
  }),

  ...STALE.map(({ what, change }) =>
    storeCase(`a commit is stale with ${what}`, async (stage) => {
      const { owner, parts } = await settled(stage);
      const commit = owner.next(parts.good);
      const verdicts = await owner.connection.commit([{ ...commit, ...change(commit) }]);
      assert.deepEqual(verdicts, ['stale'], 'the verdict');
      await assertUntouched(stage, owner, parts);
      owner.takeBack(commit);
      await owner.commit(parts.good);
      await stage.assertState(owner.connection, stage.key(), 'new', 'the state after the right commit');
    }),
  ),

  storeCase('a former owner is stale from the next opening on', async (stage) => {
    const former = await stage.owner();
    await former.put(stage.key(), 'former');
    const owner = await stage.owner();
    const late = former.next({ states: [stateOf(stage.key(), 'late')] });
    assert.deepEqual(await former.connection.commit([late]), ['stale'], 'the verdict before the new owner commits');
    await owner.put(stage.key(), 'new');
    assert.deepEqual(await former.connection.commit([late]), ['stale'], 'the verdict after the same number');
    await owner.put(stage.key(), 'newer');
    for (const number of [1, 2, 3, 4]) {
      const verdicts = await former.connection.commit([{ ...late, number }]);
      assert.deepEqual(verdicts, ['stale'], `the verdict of number ${number}`);
    }
    await stage.assertState(owner.connection, stage.key(), 'newer', 'the state');
  }),

  storeCase('a commit names the token of the one before it, and that of the opening first', async (stage) => {
    const owner = await stage.owner();
    const first = owner.next();
    assert.deepEqual(await owner.connection.commit([first]), ['committed'], 'the verdict of the first');
    for (const previous of [first.previous, randomBytes(16)]) {
      const second = { ...owner.next(), previous };
      assert.deepEqual(await owner.connection.commit([second]), ['stale'], 'the verdict of a second');
      owner.follow(first);
    }
    const second = await owner.commit();
    assertBytes(second.previous, first.token, 'the token before the second');
  }),

  storeCase('the epoch is of the shard, whatever the connection', async (stage) => {
    const [owner, other] = [await stage.owner(), await stage.connect()];
    const commit = owner.next({ states: [stateOf(stage.key(), 'by another')] });
    assert.deepEqual(await other.commit([commit]), ['committed'], 'the verdict');
    await owner.put(stage.key(), 'by the first');
  }),
];

/** A shard in epoch 3, after three commits that left something of each kind. */
async function settled(stage: StoreStage) {
  const connection = await stage.connect();
  await connection.openShard(0);
  await connection.openShard(0);
  const owner = await stage.own(connection);
  const [entry, message] = [stage.entry(), stage.message()];
  await owner.put(stage.key(), 'old');
  await owner.commit({ handled: [entry] });
  await owner.commit({ outbox: [message] });
  const [{ position } = assert.fail('a row must be there')] = await stage.outbox(connection);
  const added = stage.entry();
  const good = {
    states: [stateOf(stage.key(), 'new')],
    handled: [added],
    outbox: [stage.message()],
    sent: [position],
  };
  return { owner, parts: { good, added, message } };
}

async function assertUntouched(
  stage: StoreStage,
  { connection }: ShardOwner,
  { added, message }: Awaited<ReturnType<typeof settled>>['parts'],
): Promise<void> {
  await stage.assertState(connection, stage.key(), 'old', 'the state after a stale commit');
  await stage.assertEntry(connection, added, undefined, 'the inbox after a stale commit');
  await stage.assertOutbox(connection, [message], 'the outbox after a stale commit');
  await stage.assertOutbox(connection, [], 'the outbox of another shard', 5);
}
