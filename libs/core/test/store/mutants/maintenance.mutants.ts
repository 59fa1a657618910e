import { replaceMethod } from '../../support/replace-method.js';
import type { ConnectionSeed, StoreMutant } from './store-mutant.js';

/** Stores that forget too early. */
export const maintenanceMutants: readonly StoreMutant[] = [
  {
    name: 'entries are forgotten at each maintenance',
    by: 'within the horizon nothing is forgotten',
    says: /whether there is an entry/,
    connection: forgetting(() => true),
  },
  {
    name: 'entries are forgotten while a shard is new to its owner',
    by: 'while a shard is new to its owner nothing is forgotten',
    says: /whether there is an entry/,
    connection: forgetting(({ context }) => context.inboxHorizon < 1_000),
  },
  {
    name: 'entries are forgotten that are younger than a row of the outbox',
    by: 'what is as young as the oldest row of the outbox is not forgotten',
    says: /whether there is an entry/,
    connection: forgetting(({ context }) => context.settleTime === 0),
  },
  {
    name: 'a state is forgotten at maintenance',
    by: 'states and rows of the outbox are never forgotten by age',
    says: /the state/,
    connection: (_connection, { tables, tookHold }) => ({
      maintain: async () => {
        tookHold();
        replaceMethod(tables.states, 'get', () => () => undefined);
      },
    }),
  },
  {
    name: 'maintenance by a former owner is refused',
    by: 'whoever owns nothing, or what is no longer theirs, may say so',
    says: /no owner/,
    connection: (connection, { tables, tookHold }) => ({
      maintain: async (open) => {
        if (open.some(({ shard, epoch }) => tables.fence(shard).epoch !== epoch)) {
          tookHold();
          throw new Error('no owner');
        }
        await connection.maintain(open);
      },
    }),
  },
];

/** Forgets the inbox at a maintenance where this says so. */
function forgetting(isDue: (seed: ConnectionSeed) => boolean): NonNullable<StoreMutant['connection']> {
  return (connection, seed) => ({
    maintain: async (open) => {
      await connection.maintain(open);
      if (!isDue(seed)) return;
      seed.tookHold();
      replaceMethod(seed.tables.inbox, 'get', () => () => undefined);
    },
  });
}
