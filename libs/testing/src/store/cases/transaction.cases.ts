import assert from 'node:assert/strict';
import { lostOf, stateOf } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';
import type { StoreCapability } from '../store-harness.js';
import type { StoreStage } from '../store-stage.js';

const NEEDS: readonly StoreCapability[] = ['transactions'];
const BESIDE: readonly StoreCapability[] = ['transactions', 'besideTransactions'];

/** Handlers' own writes, which are committed with their messages. */
export const transactionCases: readonly StoreConformanceCase[] = [
  storeCase(
    'what a transaction wrote is there with its commit',
    async (stage) => {
      const { owner, transaction, parts } = await begun(stage);
      assert.equal(await transaction.commit(owner.next(parts)), 'committed', 'the verdict');
      await stage.assertWritten('name', 'by the handler', 'what was written');
      await stage.assertState(owner.connection, stage.key(), 'new', 'the state');
      await stage.assertEntry(owner.connection, parts.handled[0]!, parts.handled[0], 'the inbox');
      await stage.assertOutbox(owner.connection, parts.outbox, 'the outbox');
      await owner.put(stage.key(), 'next');
    },
    NEEDS,
  ),

  storeCase(
    'a transaction that wrote nothing commits too',
    async (stage) => {
      const owner = await stage.owner();
      const transaction = await stage.begin(owner.connection);
      const commit = owner.next({ states: [stateOf(stage.key(), 'new')] });
      assert.equal(await transaction.commit(commit), 'committed', 'the verdict');
      await stage.assertState(owner.connection, stage.key(), 'new', 'the state');
      assert.equal(await owner.connection.resolve(lostOf(commit)), 'committed', 'what became of it');
    },
    NEEDS,
  ),

  storeCase(
    'what a transaction writes is not there before its commit',
    async (stage) => {
      const { transaction, owner, parts } = await begun(stage);
      await stage.assertWritten('name', undefined, 'what others see');
      await transaction.commit(owner.next(parts));
      await stage.assertWritten('name', 'by the handler', 'what others see afterwards');
    },
    BESIDE,
  ),

  ...(['before', 'after'] as const).map((when) =>
    storeCase(
      `a transaction of an epoch that ended ${when} it began writes nothing`,
      async (stage) => {
        const former = await stage.owner();
        if (when === 'before') await stage.owner();
        const transaction = await stage.begin(former.connection);
        await stage.write(transaction, 'name', 'by the handler');
        // A frozen process must hold nothing that its successor needs.
        const owner = when === 'before' ? undefined : await stage.owner();
        await owner?.put(stage.key(), 'by the successor');
        const parts = partsOf(stage);
        assert.equal(await transaction.commit(former.next(parts)), 'stale', 'the verdict');
        await stage.assertWritten('name', undefined, 'what was written');
        await stage.assertState(former.connection, stage.key(), owner && 'by the successor', 'the state');
        await stage.assertEntry(former.connection, parts.handled[0]!, undefined, 'the inbox');
        await stage.assertOutbox(former.connection, [], 'the outbox');
        await owner?.put(stage.key(), 'works');
      },
      when === 'before' ? NEEDS : BESIDE,
    ),
  ),

  storeCase(
    'a transaction with another number than the next writes nothing',
    async (stage) => {
      const { owner, transaction, parts } = await begun(stage);
      const [next, after] = [owner.next(), owner.next(parts)];
      assert.equal(await transaction.commit(after), 'stale', 'the verdict');
      await stage.assertWritten('name', undefined, 'what was written');
      await stage.assertState(owner.connection, stage.key(), undefined, 'the state');
      assert.deepEqual(await owner.connection.commit([next]), ['committed'], 'the verdict of the next');
    },
    NEEDS,
  ),

  storeCase(
    'a transaction whose message is known writes nothing, and its number stays free',
    async (stage) => {
      const { owner, transaction, parts } = await begun(stage);
      const known = stage.entry();
      const commit = owner.next({ ...parts, handled: [known] });
      const first = await stage.own(owner.connection, 1);
      await first.commit({ handled: [known] });
      await stage.refused(() => transaction.commit(commit), 'known', 'a known message');
      await stage.assertWritten('name', undefined, 'what was written');
      await stage.assertState(owner.connection, stage.key(), undefined, 'the state');
      assert.equal(await owner.connection.resolve(lostOf(commit)), 'void', 'what became of it');
    },
    BESIDE,
  ),

  storeCase(
    'a transaction of which a write had failed is refused, whatever came after the failure',
    async (stage) => {
      const { owner, transaction, parts } = await begun(stage);
      await stage.fail(transaction);
      await stage.write(transaction, 'after', 'the failure').catch(() => undefined);
      const commit = owner.next(parts);
      await stage.refused(() => transaction.commit(commit), 'content', 'the commit of a failed transaction');
      await stage.assertWritten('name', undefined, 'what was written before the failure');
      await stage.assertWritten('after', undefined, 'what was written after the failure');
      await stage.assertState(owner.connection, stage.key(), undefined, 'the state');
      assert.deepEqual(await owner.connection.commit([commit]), ['committed'], 'the verdict without the transaction');
    },
    NEEDS,
  ),

  storeCase(
    'an abandoned transaction writes nothing, and can be abandoned again',
    async (stage) => {
      const { owner, transaction } = await begun(stage);
      await transaction.abandon();
      await transaction.abandon();
      await stage.assertWritten('name', undefined, 'what was written');
      await owner.put(stage.key(), 'works');
      const [failed] = [await stage.begin(owner.connection)];
      await stage.fail(failed);
      await failed.abandon();
      await owner.put(stage.key(), 'works still');
    },
    NEEDS,
  ),

  storeCase(
    'to abandon a transaction after its commit changes nothing',
    async (stage) => {
      const { owner, transaction, parts } = await begun(stage);
      await transaction.commit(owner.next(parts));
      await transaction.abandon();
      await stage.assertWritten('name', 'by the handler', 'what was written');
      await stage.assertState(owner.connection, stage.key(), 'new', 'the state');
    },
    NEEDS,
  ),

  ...(['commit', 'abandon'] as const).map((ending) =>
    storeCase(
      `a transaction refuses everything after ${ending}`,
      async (stage) => {
        const { owner, transaction } = await begun(stage);
        if (ending === 'commit') await transaction.commit(owner.next());
        else await transaction.abandon();
        await stage.rejected(() => stage.write(transaction, 'late', 'too late'), Error, 'a late write');
        const late = owner.next({ states: [stateOf(stage.key(), 'late')] });
        await stage.rejected(() => transaction.commit(late), Error, 'a late commit');
        await stage.assertWritten('late', undefined, 'the late write');
        await stage.assertState(owner.connection, stage.key(), undefined, 'the late state');
        assert.deepEqual(await owner.connection.commit([late]), ['committed'], 'the verdict without the transaction');
        await stage.assertWritten('late', undefined, 'the late write after another commit');
      },
      NEEDS,
    ),
  ),

  storeCase(
    'an open transaction holds up neither commits of its shard nor its next opening',
    async (stage) => {
      const { owner, transaction, parts } = await begun(stage);
      await owner.put(stage.key(), 'beside it');
      const other = await stage.own(owner.connection, 1);
      await other.put(stage.key(1), 'beside it');
      assert.equal(await transaction.commit(owner.next(parts)), 'committed', 'the verdict');
      await stage.assertState(owner.connection, stage.key(), 'new', 'the state');
      const second = await stage.begin(owner.connection);
      await stage.write(second, 'second', 'of an owner that is frozen');
      await (await stage.owner()).put(stage.key(), 'by the successor');
      assert.equal(await second.commit(owner.next(parts)), 'stale', 'the verdict of the former owner');
      await stage.assertWritten('second', undefined, 'what the former owner wrote');
    },
    BESIDE,
  ),

  storeCase(
    'transactions side by side are apart',
    async (stage) => {
      const owner = await stage.owner();
      const transactions = [];
      for (let index = 0; index < 3; index++) {
        const transaction = await stage.begin(owner.connection);
        await stage.write(transaction, `name ${index}`, `value ${index}`);
        transactions.push(transaction);
      }
      await transactions[1]!.abandon();
      assert.equal(await transactions[2]!.commit(owner.next()), 'committed', 'the verdict of the third');
      assert.equal(await transactions[0]!.commit(owner.next()), 'committed', 'the verdict of the first');
      for (const [index, value] of ['value 0', undefined, 'value 2'].entries()) {
        await stage.assertWritten(`name ${index}`, value, `what transaction ${index} wrote`);
      }
    },
    BESIDE,
  ),

  storeCase(
    'many transactions after one another, with every ending, leave the store as it was',
    async (stage) => {
      const owner = await stage.owner();
      for (let number = 1; number <= 30; number++) {
        const transaction = await stage.begin(owner.connection);
        await stage.write(transaction, 'name', `${number}`);
        if (number % 3 === 0) await transaction.abandon();
        else await transaction.commit(owner.next());
        await stage.assertWritten('name', `${number % 3 === 0 ? number - 1 : number}`, 'what was written');
      }
      await owner.put(stage.key(), 'works');
    },
    NEEDS,
  ),

  storeCase(
    'a closed connection ends its transactions',
    async (stage) => {
      const { owner, transaction, parts } = await begun(stage);
      await owner.connection.close();
      await stage.rejected(() => stage.write(transaction, 'late', 'too late'), Error, 'a write');
      await stage.rejected(() => transaction.commit(owner.next(parts)), Error, 'the commit');
      await transaction.abandon();
      await stage.assertWritten('name', undefined, 'what was written');
      const next = await stage.owner();
      await stage.assertState(next.connection, stage.key(), undefined, 'the state');
      await next.put(stage.key(), 'works');
    },
    NEEDS,
  ),
];

/** A shard that nothing was committed for, and a transaction that has written something. */
async function begun(stage: StoreStage) {
  const owner = await stage.owner();
  const transaction = await stage.begin(owner.connection);
  await stage.write(transaction, 'name', 'overwritten');
  await stage.write(transaction, 'name', 'by the handler');
  return { owner, transaction, parts: partsOf(stage) };
}

function partsOf(stage: StoreStage) {
  return { states: [stateOf(stage.key(), 'new')], handled: [stage.entry()], outbox: [stage.message()] };
}
