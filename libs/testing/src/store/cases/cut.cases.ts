import assert from 'node:assert/strict';
import { StoreUnavailableError } from '@mississippi/core';
import type { CommitResolution, CommitVerdict, ShardCommit } from '@mississippi/core/store';
import { lostOf, stateOf, type CommitParts, type ShardOwner } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';
import type { StoreStage } from '../store-stage.js';

const TRIALS = 10;
const SHARDS = 4;

/** What happens when the connection to the server breaks. */
export const cutCases: readonly StoreConformanceCase[] = [
  storeCase(
    'commits that were under way when the connection broke are committed or void, wholly',
    async (stage) => {
      const connection = await stage.connect();
      const owners: ShardOwner[] = [];
      for (let shard = 0; shard < SHARDS; shard++) owners.push(await stage.own(connection, shard));
      for (let trial = 0; trial < TRIALS; trial++) {
        const under = owners.map((owner) => {
          const { shard } = owner;
          const entry = stage.entry({ key: stage.key(shard) });
          const text = `trial ${trial}`;
          const commit = owner.next({ states: [stateOf(stage.key(shard), text)], handled: [entry] });
          return { owner, entry, text, commit, verdict: verdictOf(connection.commit([commit])) };
        });
        await stage.cut();
        for (const { owner, entry, text, commit, verdict } of under) {
          const known = await verdict;
          const became = await becameOf(stage, owner, commit);
          if (known !== undefined) assert.equal(became, known, 'what became of a commit that was answered');
          assert.notEqual(became, 'stale', 'what became of a commit of the owner');
          const isThere = became === 'committed';
          const [found] = await reached(stage, () => connection.lookUp([entry]));
          assert.equal(found !== undefined, isThere, `whether a message is known whose commit is ${became}`);
          if (!isThere) await commitSurely(stage, owner, commit);
          const late = await reached(stage, () => connection.commit([commit]));
          assert.deepEqual(late, ['stale'], 'the verdict when it arrives late');
          await stage.assertState(connection, stage.key(owner.shard), text, 'the state at last');
        }
      }
    },
    ['cut'],
  ),

  storeCase(
    'after the connection broke everything works again, without another connection',
    async (stage) => {
      const owner = await stage.owner();
      const message = stage.message();
      await owner.commit({ states: [stateOf(stage.key(), 'kept')], outbox: [message] });
      await stage.cut();
      await reached(stage, () => stage.assertState(owner.connection, stage.key(), 'kept', 'the state'));
      await reached(stage, () => stage.assertOutbox(owner.connection, [message], 'the outbox'));
      assert.deepEqual(owner.connection.status(), { connected: true }, 'the status');
      await commitSurely(stage, owner, { states: [stateOf(stage.key(), 'works')] });
      const { epoch } = await reached(stage, () => owner.connection.openShard(0));
      assert.ok(epoch > owner.epoch, 'the next epoch is higher');
    },
    ['cut'],
  ),

  storeCase(
    'an epoch is given to nobody else when the answer of its opening was lost',
    async (stage) => {
      const connection = await stage.connect();
      const epochs: number[] = [];
      for (let trial = 0; trial < TRIALS; trial++) {
        const opening = connection.openShard(0).catch(expectUnavailable);
        await stage.cut();
        const opened = await opening;
        if (opened !== undefined) epochs.push(opened.epoch);
        epochs.push((await reached(stage, () => connection.openShard(0))).epoch);
      }
      assert.deepEqual(
        epochs,
        [...new Set(epochs)].toSorted((a, b) => a - b),
        'the epochs, each higher than the last',
      );
    },
    ['cut'],
  ),

  storeCase(
    'a transaction whose connection broke before its commit wrote nothing',
    async (stage) => {
      const owner = await stage.owner();
      const transaction = await stage.begin(owner.connection);
      await stage.write(transaction, 'name', 'by the handler');
      await stage.cut();
      const commit = owner.next({ states: [stateOf(stage.key(), 'new')] });
      await stage.rejected(() => transaction.commit(commit), StoreUnavailableError, 'the commit');
      await transaction.abandon();
      assert.equal(await becameOf(stage, owner, commit), 'void', 'what became of it');
      await stage.assertWritten('name', undefined, 'what was written');
      await commitSurely(stage, owner, { states: [stateOf(stage.key(), 'works')] });
    },
    ['transactions', 'cut'],
  ),

  storeCase(
    'a transaction whose connection broke in its commit is committed or void, with what it wrote',
    async (stage) => {
      const owner = await stage.owner();
      for (let trial = 0; trial < TRIALS; trial++) {
        const name = `name ${trial}`;
        const transaction = await reached(stage, () => stage.begin(owner.connection));
        await stage.write(transaction, name, 'by the handler');
        const commit = owner.next({ states: [stateOf(stage.key(), name)], handled: [stage.entry()] });
        const committing = verdictOf(transaction.commit(commit).then((verdict) => [verdict]));
        await stage.cut();
        const known = await committing;
        const became = await becameOf(stage, owner, commit);
        if (known !== undefined) assert.equal(became, known, 'what became of a commit that was answered');
        assert.notEqual(became, 'stale', 'what became of a commit of the owner');
        const isThere = became === 'committed';
        await stage.assertWritten(name, isThere ? 'by the handler' : undefined, `what was written, ${became}`);
        const [entry] = commit.handled;
        const expected = isThere ? entry : undefined;
        await reached(stage, () => stage.assertEntry(owner.connection, entry!, expected, `the inbox, ${became}`));
      }
    },
    ['transactions', 'cut'],
  ),
];

/** What became of a commit whose answer may be lost, by asking until there is an answer. */
async function becameOf(stage: StoreStage, owner: ShardOwner, commit: ShardCommit): Promise<CommitResolution> {
  const lost = lostOf(commit);
  const became = await reached(stage, () => owner.connection.resolve(lost));
  if (became === 'void') owner.follow({ number: commit.number, token: lost.voidToken });
  return became;
}

/** Commits by as many commits as it takes. */
async function commitSurely(stage: StoreStage, owner: ShardOwner, parts: CommitParts): Promise<void> {
  await stage.becomes('a commit to succeed', async () => {
    const commit = owner.next(parts);
    return (await verdictOf(owner.connection.commit([commit]))) === 'committed'
      ? true
      : (await becameOf(stage, owner, commit)) === 'committed';
  });
}

/** The verdict of a commit, or `undefined` when its answer was lost. */
async function verdictOf(committing: Promise<readonly CommitVerdict[]>): Promise<CommitResolution | undefined> {
  return (await committing.catch(expectUnavailable))?.[0];
}

function expectUnavailable(error: unknown): undefined {
  assert.ok(
    error instanceof StoreUnavailableError,
    `a call that was cut off must be rejected with StoreUnavailableError, not ${String(error)}`,
  );
}

/** Asks again until the store can be reached. */
async function reached<T>(stage: StoreStage, ask: () => Promise<T>): Promise<T> {
  let answer: { readonly value: T } | undefined;
  await stage.becomes('the store to be reached again', async () => {
    try {
      answer = { value: await ask() };
      return true;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return false;
      throw error;
    }
  });
  return answer!.value;
}
