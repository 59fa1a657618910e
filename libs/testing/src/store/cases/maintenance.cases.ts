import { setTimeout as passed } from 'node:timers/promises';
import type { InboxEntry, StoreContext } from '@mississippi/core/store';
import { stateOf, type ShardOwner } from '../shard-owner.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';
import type { StoreStage } from '../store-stage.js';

const A_DAY = 24 * 3_600_000;
/** Milliseconds after which an entry is older than a horizon of one. A store that forgets too late passes; that is allowed. */
const OLD = 20;
const TIMES = 3;

/** What a store may not forget. */
export const maintenanceCases: readonly StoreConformanceCase[] = [
  storeCase('within the horizon nothing is forgotten', async (stage) => {
    const { owner, entry } = await remembering(stage, { inboxHorizon: A_DAY, settleTime: 0 });
    await maintain(owner);
    await stage.assertEntry(owner.connection, entry, entry, 'the entry');
  }),

  storeCase('while a shard is new to its owner nothing is forgotten', async (stage) => {
    const { owner, entry } = await remembering(stage, { inboxHorizon: 1, settleTime: A_DAY });
    await maintain(owner);
    await stage.assertEntry(owner.connection, entry, entry, 'the entry');
  }),

  storeCase('what is as young as the oldest row of the outbox is not forgotten', async (stage) => {
    const { owner } = await remembering(stage, SHORT);
    const message = stage.message();
    await owner.commit({ outbox: [message] });
    await passed(OLD);
    const entry = stage.entry();
    await owner.commit({ handled: [entry] });
    await passed(OLD);
    await maintain(owner);
    await stage.assertEntry(owner.connection, entry, entry, 'an entry that is younger than a row');
    await stage.assertOutbox(owner.connection, [message], 'the outbox');
  }),

  storeCase('states and rows of the outbox are never forgotten by age', async (stage) => {
    const { owner } = await remembering(stage, SHORT);
    const message = stage.message();
    await owner.commit({ states: [stateOf(stage.key(), 'kept')], outbox: [message] });
    await passed(OLD);
    await maintain(owner);
    await stage.assertState(owner.connection, stage.key(), 'kept', 'the state');
    await stage.assertOutbox(owner.connection, [message], 'the outbox');
    await owner.put(stage.key(), 'works');
  }),

  storeCase('whoever owns nothing, or what is no longer theirs, may say so', async (stage) => {
    const former = await stage.owner();
    const { owner } = await remembering(stage, { inboxHorizon: A_DAY });
    await former.connection.maintain([]);
    await former.connection.maintain([former, { shard: 5, epoch: 1 }]);
    await maintain(owner);
    await owner.put(stage.key(), 'works');
  }),
];

const SHORT: Partial<StoreContext> = { inboxHorizon: 1, settleTime: 0 };

/** The owner of a shard, with an entry of its inbox that is some milliseconds old. */
async function remembering(
  stage: StoreStage,
  context: Partial<StoreContext>,
): Promise<{ owner: ShardOwner; entry: InboxEntry }> {
  const owner = await stage.own(await stage.connect(context));
  const entry = stage.entry();
  await owner.commit({ handled: [entry] });
  await passed(OLD);
  return { owner, entry };
}

/** Some rounds of maintenance by all owners. */
async function maintain(...owners: readonly ShardOwner[]): Promise<void> {
  for (let time = 0; time < TIMES; time++) {
    for (const { connection, shard, epoch } of owners) await connection.maintain([{ shard, epoch }]);
    await passed(OLD);
  }
}
