import assert from 'node:assert/strict';
import type { CommitVerdict, ShardCommit } from '@mississippi/core/store';
import { lostOf, stateOf, type ShardOwner } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';
import type { StoreStage } from '../store-stage.js';

const TRIALS = 30;

/** Calls side by side. */
export const concurrencyCases: readonly StoreConformanceCase[] = [
  storeCase('many shards commit side by side', async (stage) => {
    const connections = [await stage.connect(), await stage.connect()];
    const owners: ShardOwner[] = [];
    for (let shard = 0; shard < 8; shard++) owners.push(await stage.own(connections[shard % 2]!, shard));
    await Promise.all(
      owners.map(async (owner) => {
        for (let number = 1; number <= 20; number++) {
          const parts = {
            states: [stateOf(stage.key(owner.shard), `state ${number}`)],
            handled: [stage.entry({ key: stage.key(owner.shard) })],
            outbox: stage.messages(2),
          };
          assert.equal(await commitOne(stage, owner, owner.next(parts)), 'committed', 'a verdict');
        }
      }),
    );
    for (const { shard } of owners) {
      await stage.assertState(connections[0]!, stage.key(shard), 'state 20', `the state of shard ${shard}`);
      assert.equal((await stage.outbox(connections[1]!, shard)).length, 40, `the rows of shard ${shard}`);
    }
  }),

  storeCase('of two commits of one number one happens', async (stage) => {
    const [one, other] = [await stage.connect(), await stage.connect()];
    const owner = await stage.own(one);
    for (let trial = 0; trial < TRIALS; trial++) {
      const [key] = stage.keys(1);
      const first = owner.next({ states: [stateOf(key!, 'first')] });
      owner.takeBack(first);
      const second = owner.next({ states: [stateOf(key!, 'second')] });
      const verdicts = await Promise.all([
        stage.persist(async () => (await one.commit([first]))[0]),
        stage.persist(async () => (await other.commit([second]))[0]),
      ]);
      assertOneOf(verdicts, 'the verdicts');
      const isFirst = verdicts[0] === 'committed';
      await stage.assertState(one, key!, isFirst ? 'first' : 'second', 'the state');
      owner.follow(isFirst ? first : second);
      assert.equal(await one.resolve(lostOf(first)), isFirst ? 'committed' : 'stale', 'what became of the first');
      assert.equal(await one.resolve(lostOf(second)), isFirst ? 'stale' : 'committed', 'what became of the second');
    }
  }),

  storeCase('groups that meet in several shards, in whatever order, happen once in each', async (stage) => {
    const [one, other] = [await stage.connect(), await stage.connect()];
    const owners: ShardOwner[] = [];
    for (let shard = 0; shard < 4; shard++) owners.push(await stage.own(one, shard));
    for (let trial = 0; trial < TRIALS; trial++) {
      const group = (name: string): ShardCommit[] =>
        owners.map((owner) => {
          const commit = owner.next({ states: [stateOf(stage.key(owner.shard), `${name} ${trial}`)] });
          owner.takeBack(commit);
          return commit;
        });
      const [there, back] = [group('there'), group('back').toReversed()];
      const [first, second] = await Promise.all([
        stage.persist(() => one.commit(there)),
        stage.persist(() => other.commit(back)),
      ]);
      for (const owner of owners) {
        const { shard } = owner;
        const verdicts = [first[shard], second[owners.length - 1 - shard]];
        assertOneOf(verdicts, `the verdicts of shard ${shard}`);
        const winner = verdicts[0] === 'committed' ? 'there' : 'back';
        await stage.assertState(one, stage.key(shard), `${winner} ${trial}`, `the state of shard ${shard}`);
        owner.follow(winner === 'there' ? there[shard]! : back[owners.length - 1 - shard]!);
      }
    }
  }),

  storeCase('an opening and a commit at once: one comes first, and the former owner is stale then', async (stage) => {
    const [one, other] = [await stage.connect(), await stage.connect()];
    await (await stage.own(one)).put(stage.key(), 'before');
    let expected = 'before';
    for (let trial = 0; trial < TRIALS; trial++) {
      const former = await stage.own(one);
      const entry = stage.entry();
      const commit = former.next({ states: [stateOf(stage.key(), `trial ${trial}`)], handled: [entry] });
      const opening = (): Promise<ShardOwner> => stage.own(other);
      const committing = (): Promise<CommitVerdict> => commitOne(stage, former, commit);
      const [owner, verdict] = await atOnce(trial, opening, committing);
      if (verdict === 'committed') expected = `trial ${trial}`;
      await stage.assertState(other, stage.key(), expected, `the state after ${verdict}`);
      await stage.assertEntry(other, entry, verdict === 'committed' ? entry : undefined, `the inbox after ${verdict}`);
      assert.equal(await commitOne(stage, former, former.next()), 'stale', 'the next verdict of the former owner');
      assert.equal(await one.resolve(lostOf(commit)), 'stale', 'what the former owner learns');
      await owner.put(stage.key(), (expected = `owner ${trial}`));
    }
  }),

  storeCase('a question and its commit at once agree', async (stage) => {
    const [one, other] = [await stage.connect(), await stage.connect()];
    const owner = await stage.own(one);
    let expected: string | undefined;
    for (let trial = 0; trial < TRIALS; trial++) {
      const commit = owner.next({ states: [stateOf(stage.key(), `trial ${trial}`)] });
      const lost = lostOf(commit);
      const asking = () => stage.persist(() => other.resolve(lost));
      const committing = () => commitOne(stage, owner, commit);
      const [answer, verdict] = await atOnce(trial, asking, committing);
      assert.equal(answer, verdict === 'committed' ? 'committed' : 'void', `what became of one that is ${verdict}`);
      if (verdict === 'committed') expected = `trial ${trial}`;
      await stage.assertState(one, stage.key(), expected, `the state after ${verdict}`);
      assert.equal(await one.resolve(lost), answer, 'what is answered later');
      if (answer === 'void') owner.follow({ number: commit.number, token: lost.voidToken });
    }
  }),

  storeCase('questions of all kinds may be asked while shards commit', async (stage) => {
    const owner = await stage.owner();
    const { connection } = owner;
    const writing = (async () => {
      for (let number = 1; number <= 20; number++) {
        await commitOne(stage, owner, owner.next({ states: [stateOf(stage.key(), 's')], outbox: stage.messages(1) }));
      }
    })();
    const reading = Array.from({ length: 20 }, async (_item, index) => {
      await connection.load(stage.keys(index + 1));
      await connection.lookUp([stage.entry()]);
      const rows = await stage.outbox(connection);
      assert.deepEqual(
        rows.map(({ position }) => position.commit),
        rows.map((_row, place) => place + 1),
        'the rows, none of which may be left out',
      );
    });
    await Promise.all([writing, ...reading]);
  }),
];

/** The verdict of one commit. */
async function commitOne(
  stage: StoreStage,
  { connection }: Pick<ShardOwner, 'connection'>,
  commit: ShardCommit,
): Promise<CommitVerdict> {
  const [verdict] = await stage.persist(() => connection.commit([commit]));
  return verdict!;
}

/** Asserts that one of two commits happened, and the other is stale. */
function assertOneOf(verdicts: readonly (CommitVerdict | undefined)[], what: string): void {
  assert.deepEqual(new Set(verdicts), new Set(['committed', 'stale']), what);
}

/** Begins two things side by side, in each second trial the other way round. */
async function atOnce<A, B>(trial: number, one: () => Promise<A>, other: () => Promise<B>): Promise<[A, B]> {
  if (trial % 2 === 0) return Promise.all([one(), other()]);
  const [b, a] = await Promise.all([other(), one()]);
  return [a, b];
}
