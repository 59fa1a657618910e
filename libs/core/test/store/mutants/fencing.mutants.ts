import type { CommitVerdict, ShardCommit } from '@mississippi/core/store';
import { replaceMethod } from '../../support/replace-method.js';
import { admitting, eachFence, later, type StoreMutant } from './store-mutant.js';

const STALE = 'a commit is stale with ';
const GROUP = 'the stale ones of a group write nothing, and the others everything';
const REFUSED = 'a group of which one commit is refused writes nothing, and may be sent in parts';

/** Commits that are written when they must not be, or in parts. */
export const fencingMutants: readonly StoreMutant[] = [
  ...['a lower epoch', 'the number of the last commit', 'a shard that nobody has opened'].map((what) => ({
    name: `there is no fence: ${what}`,
    by: STALE + what,
    says: /the verdict/,
    tables: admitting(() => true),
  })),
  {
    name: 'the fence lets higher epochs pass',
    by: `${STALE}a higher epoch, as before a backup was restored`,
    says: /the verdict/,
    tables: admitting(({ epoch, number }, fence) => epoch >= fence.epoch && number === fence.number + 1),
  },
  {
    name: 'the fence lets lower epochs pass',
    by: `${STALE}a much lower epoch`,
    says: /the verdict/,
    tables: admitting(({ epoch, number }, fence) => epoch <= fence.epoch && number === fence.number + 1),
  },
  {
    name: 'the fence lets higher numbers pass',
    by: `${STALE}a number too high by one`,
    says: /the verdict/,
    tables: admitting(({ epoch, number }, fence) => epoch === fence.epoch && number > fence.number),
  },
  {
    name: 'the fence lets lower numbers pass',
    by: `${STALE}the number of an earlier commit`,
    says: /the verdict/,
    tables: admitting(({ epoch, number }, fence) => epoch === fence.epoch && number <= fence.number + 1),
  },
  {
    name: 'a former owner with the same number passes',
    by: 'a former owner is stale from the next opening on',
    says: /the verdict/,
    tables: admitting(({ number }, fence) => number === fence.number + 1),
  },
  {
    name: 'the token before a commit does not count',
    by: `${STALE}another token before it, as after a backup was restored`,
    says: /the verdict/,
    tables: admitting(({ epoch, number }, fence) => epoch === fence.epoch && number === fence.number + 1),
  },
  {
    name: 'of the token before a commit the last byte is left out',
    by: `${STALE}a token before it that has one bit changed`,
    says: /the verdict/,
    tables: admitting(({ epoch, number, previous }, fence) => {
      if (epoch !== fence.epoch || number !== fence.number + 1) return false;
      return Buffer.compare(previous.subarray(0, 15), fence.token.subarray(0, 15)) === 0;
    }),
  },
  {
    name: 'the token of the opening stays',
    by: 'a commit names the token of the one before it, and that of the opening first',
    says: /the verdict of a second/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'pass', () => ({ number }) => {
        fence.number = number;
        tookHold();
      });
    }),
  },
  {
    name: 'an epoch goes on with the numbers of the last',
    by: 'the owner commits one number after the other, and each epoch begins with 1',
    says: /commit 1 of epoch 2/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'open', (open) => () => {
        const { number } = fence;
        const opening = open();
        if (number > 0) tookHold();
        fence.number = number;
        return opening;
      });
    }),
  },
  {
    name: 'openings at once share an epoch',
    by: 'openings of a shard at once get epochs of their own',
    says: /the epochs/,
    tables: eachFence((fence, { tookHold }) => {
      let opened = false;
      replaceMethod(fence, 'open', (open) => () => {
        if (opened) {
          tookHold();
          return { epoch: fence.epoch, token: fence.token };
        }
        opened = true;
        void later().then(() => (opened = false));
        return open();
      });
    }),
  },
  {
    name: 'a stale commit leaves its inbox entries',
    by: GROUP,
    says: /the inbox of shard/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        const verdicts = commit(commits, time);
        verdicts.forEach((verdict, index) => {
          if (verdict === 'committed') return;
          for (const entry of commits[index]!.handled) tables.inbox.write(entry);
          tookHold();
        });
        return verdicts;
      });
    },
  },
  {
    name: 'a stale commit removes rows',
    by: 'a stale commit removes no rows, of whichever shard',
    says: /the outbox/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        for (const { sent } of commits) {
          for (const position of sent) {
            tookHold();
            tables.outbox(position.shard).remove(position);
          }
        }
        return commit(commits, time);
      });
    },
  },
  {
    name: 'one stale commit makes all of its group stale',
    by: GROUP,
    says: /the verdicts/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        if (commits.every((one) => tables.fence(one.shard).admits(one))) return commit(commits, time);
        tookHold();
        return commits.map((): CommitVerdict => 'stale');
      });
    },
  },
  {
    name: 'verdicts come in the order of shards',
    by: GROUP,
    says: /the verdicts/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        tookHold();
        return commit(
          commits.toSorted((a, b) => a.shard - b.shard),
          time,
        );
      });
    },
  },
  {
    name: 'a group is written commit by commit, up to the one that is refused',
    by: REFUSED,
    says: /the state of shard 0/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        if (commits.length > 1) tookHold();
        return commits.flatMap((one) => commit([one], time));
      });
    },
  },
  {
    name: 'a refused group has removed rows',
    by: REFUSED,
    says: /the outbox of 2/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        for (const position of commits.flatMap(({ sent }) => sent)) {
          tookHold();
          tables.outbox(position.shard).remove(position);
        }
        return commit(commits, time);
      });
    },
  },
  {
    name: 'a refused commit takes its number',
    by: 'a refused commit leaves its number free',
    says: /commit 2 of epoch 1/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        try {
          return commit(commits, time);
        } catch (error) {
          tookHold();
          for (const one of commits) tables.fence(one.shard).pass(one);
          throw error;
        }
      });
    },
  },
  {
    name: 'a stale commit refuses its group',
    by: 'what a stale commit holds cannot refuse a group',
    says: /known/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        if (commits.some(({ handled }) => handled.some((entry) => !tables.inbox.admits(entry)))) {
          tookHold();
          throw new Error('a message is known');
        }
        return commit(commits, time);
      });
    },
  },
  {
    name: 'what is above 999 items of a commit is left out',
    by: 'a commit of a thousand items of a thousand keys',
    says: /the states/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        const cut = commits.map((one): ShardCommit => {
          if (one.states.length > 999) tookHold();
          return { ...one, states: one.states.slice(0, 999) };
        });
        return commit(cut, time);
      });
    },
  },
  {
    name: 'what is above 100 commits of a group is left out',
    by: 'a group of 200 shards',
    says: /the verdicts/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        if (commits.length > 100) tookHold();
        return commit(commits.slice(0, 100), time);
      });
    },
  },
  ...[
    'of two commits of one number one happens',
    'groups that meet in several shards, in whatever order, happen once in each',
    'an opening and a commit at once: one comes first, and the former owner is stale then',
  ].map((by): StoreMutant => ({
    name: `the fence is looked at first and passed later: ${by}`,
    by,
    says: /the verdicts|the state after|the next verdict/,
    connection: (_connection, { tables, tookHold }) => ({
      commit: async (commits) => {
        const verdicts = commits.map((one): CommitVerdict => {
          return tables.fence(one.shard).admits(one) ? 'committed' : 'stale';
        });
        await later();
        await later();
        const current = commits.filter((_commit, index) => verdicts[index] === 'committed');
        for (const one of current) {
          const { shard, epoch, number, token, states, handled } = one;
          const fence = tables.fence(shard);
          if (!fence.admits(one)) tookHold();
          Object.assign(fence, { epoch, number, token });
          for (const change of states) tables.states.write(change, Date.now());
          for (const entry of handled) tables.inbox.write(entry);
        }
        return verdicts;
      },
    }),
  })),
];
