import type { CommitResolution } from '@mississippi/core/store';
import { replaceMethod } from '../../support/replace-method.js';
import { eachFence, later, type StoreMutant } from './store-mutant.js';

const VOID = 'a commit that has not happened is void, as often as it is asked, and never happens';
const FORMER = 'a commit of a former epoch is stale, and to ask for it changes nothing';

/** Outcomes that are not what became of a commit. */
export const resolveMutants: readonly StoreMutant[] = [
  {
    name: 'a void commit may happen later',
    by: VOID,
    says: /the verdict when it arrives late/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        const { number, token } = fence;
        const isOpen = fence.admits(commit);
        const answer = resolve(commit);
        if (isOpen) {
          tookHold();
          Object.assign(fence, { number, token });
        }
        return answer;
      });
    }),
  },
  {
    name: 'a void commit is stale when it is asked for again',
    by: VOID,
    says: /what became of it/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        const isOpen = fence.admits(commit);
        const answer = resolve(commit);
        if (answer !== 'void' || isOpen) return answer;
        tookHold();
        return 'stale';
      });
    }),
  },
  {
    name: 'a void commit leaves the token of the one before it',
    by: 'what follows a void commit names the token of the void',
    says: /the verdict with another token/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        const { token } = fence;
        const isOpen = fence.admits(commit);
        const answer = resolve(commit);
        if (isOpen) {
          tookHold();
          fence.token = token;
        }
        return answer;
      });
    }),
  },
  {
    name: 'whatever the void, its number is void',
    by: 'a number that was made void by another question is stale',
    says: /what another question learns/,
    tables: eachFence((fence, { tookHold }) => {
      let voided: number | undefined;
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        const answer = resolve(commit);
        if (answer === 'void') voided = commit.number;
        if (answer !== 'stale' || commit.number !== voided) return answer;
        tookHold();
        return 'void';
      });
    }),
  },
  {
    name: 'a question that names another token before its commit makes it void',
    by: 'a commit that names another token before it is stale, and to ask for it changes nothing',
    says: /what became of the other/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        if (commit.epoch !== fence.epoch || commit.number !== fence.number + 1) return resolve(commit);
        if (!fence.admits(commit)) tookHold();
        return resolve({ ...commit, previous: fence.token });
      });
    }),
  },
  {
    name: 'a commit is known by its number, without its token',
    by: 'a number that a commit with another token took is stale',
    says: /what became of the other/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        const answer = resolve(commit);
        if (answer !== 'stale' || commit.epoch !== fence.epoch || commit.number !== fence.number) return answer;
        tookHold();
        return 'committed';
      });
    }),
  },
  {
    name: 'of a token the last byte is left out',
    by: 'a number that a commit with another token took is stale',
    says: /what became of the other/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        const { token } = fence;
        const isAlike =
          token !== undefined && Buffer.compare(token.subarray(0, 15), commit.token.subarray(0, 15)) === 0;
        if (!isAlike) return resolve(commit);
        if (Buffer.compare(token, commit.token) !== 0) tookHold();
        return resolve({ ...commit, token });
      });
    }),
  },
  {
    name: 'whatever is asked for is void',
    by: 'a commit that happened is committed, as often as it is asked',
    says: /what became of it/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        if (resolve(commit) !== 'void') tookHold();
        return 'void';
      });
    }),
  },
  {
    name: 'neither the epoch nor the token before a commit is asked for',
    by: FORMER,
    says: /what became of it/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        if (commit.epoch !== fence.epoch) tookHold();
        return resolve({ ...commit, epoch: fence.epoch, previous: fence.token });
      });
    }),
  },
  {
    name: 'a stale question takes the number of the owner',
    by: FORMER,
    says: /commit 1 of epoch 2/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        if (commit.epoch !== fence.epoch && commit.number === fence.number + 1) {
          tookHold();
          fence.number = commit.number;
        }
        return resolve(commit);
      });
    }),
  },
  {
    name: 'numbers up to the one that is asked for are void',
    by: 'a number that is far away is stale, and to ask for it changes nothing',
    says: /the one after the next/,
    tables: eachFence((fence, { tookHold }) => {
      replaceMethod(fence, 'resolve', (resolve) => (commit) => {
        if (commit.epoch !== fence.epoch || commit.number <= fence.number + 1) return resolve(commit);
        tookHold();
        fence.number = commit.number;
        return 'void';
      });
    }),
  },
  {
    name: 'a question is answered before its commit is made void',
    by: 'a question and its commit at once agree',
    says: /what became of one that is committed/,
    connection: (connection, { tables, tookHold }) => ({
      resolve: async (commit): Promise<CommitResolution> => {
        if (!tables.fence(commit.shard).admits(commit)) return connection.resolve(commit);
        await later();
        await later();
        if ((await connection.resolve(commit)) !== 'void') tookHold();
        return 'void';
      },
    }),
  },
];
