import { CommitRefusedError, StoreUnavailableError, type MemoryStoreClient } from '@mississippi/core';
import type { ShardCommit, StoreTransaction } from '@mississippi/core/store';
import { changed } from '../../support/changed.js';
import { replaceMethod } from '../../support/replace-method.js';
import type { ConnectionSeed, StoreMutant } from './store-mutant.js';

const MISMATCH = 'an instance is refused with the transport ';
const EXCLUSIVE = 'an exclusive instance lets one process in, until that one closes';
const ENDED = 'a transaction of an epoch that ended after it began writes nothing';
const OPEN = 'an open transaction holds up neither commits of its shard nor its next opening';

/** Connections that let the wrong ones in, and transactions that hold too little or too much. */
export const connectionMutants: readonly StoreMutant[] = [
  {
    name: 'instances share everything',
    by: 'instances have nothing in common',
    says: /each counts its own epochs/,
    context: (context, { tookHold }) => {
      if (context.instance !== 'conformance') tookHold();
      return { ...context, instance: 'conformance' };
    },
  },
  {
    name: 'capital letters of an instance do not count',
    by: 'instances have nothing in common',
    says: /each counts its own epochs/,
    context: (context, { tookHold }) => {
      const instance = context.instance.toLowerCase();
      if (instance !== context.instance) tookHold();
      return { ...context, instance };
    },
  },
  ...(
    [
      ['transport', 'conformance', 'another, 8 shards and the hash phash2'],
      ['totalCount', 8, 'conformance, 16 shards and the hash phash2'],
      ['hash', 'phash2', 'conformance, 8 shards and the hash another'],
    ] as const
  ).map(([part, value, others]): StoreMutant => ({
    name: `the ${part} of an instance may change`,
    by: `${MISMATCH}${others}, when it had others`,
    says: /a connection with other shards must be rejected/,
    context: (context, { tookHold }) => {
      if (context.shards[part] !== value) tookHold();
      return { ...context, shards: { ...context.shards, [part]: value } };
    },
  })),
  {
    name: 'the shards of an instance are forgotten with its last connection',
    by: `${MISMATCH}another, 8 shards and the hash phash2, when it had others`,
    says: /one when nobody else is connected/,
    connection: (connection, { tables, context, tookHold }) => ({
      close: async () => {
        if (context.shards.transport === 'conformance') {
          tookHold();
          Object.assign(tables, { shards: { ...context.shards, transport: 'another' } });
        }
        await connection.close();
      },
    }),
  },
  {
    name: 'an exclusive instance lets everybody in',
    by: EXCLUSIVE,
    says: /a second process must be rejected/,
    context: (context, { tookHold }) => {
      if (context.exclusive) tookHold();
      return { ...context, exclusive: false };
    },
  },
  {
    name: 'an exclusive instance stays closed',
    by: EXCLUSIVE,
    says: /has the instance conformance open/,
    connection: (connection, { tables, tookHold }) => ({
      close: async () => {
        const { holder } = tables;
        await connection.close();
        if (holder !== undefined) tookHold();
        tables.holder = holder;
      },
    }),
  },
  {
    name: 'a closed connection answers',
    by: 'a closed connection refuses everything, and may be closed again',
    says: /load on a closed connection must be rejected/,
    connection: (_connection, { tables, tookHold }) => ({
      load: async (keys) => {
        tookHold();
        return keys.map((key) => tables.states.get(key, Date.now()));
      },
    }),
  },
  {
    name: 'what a transaction writes is there at once',
    by: 'what a transaction writes is not there before its commit',
    says: /what others see/,
    connection: transactions((transaction, { values, tookHold }) => ({
      client: watching(transaction, (name, value) => {
        tookHold();
        values.set(name, value);
      }),
    })),
  },
  {
    name: 'what a transaction wrote is committed although the epoch had ended',
    by: ENDED,
    says: /what was written/,
    connection: committing((_commit, written, { values, tookHold }, verdict) => {
      if (verdict === 'committed') return;
      tookHold();
      for (const [name, value] of written) values.set(name, value);
    }),
  },
  {
    name: 'what a transaction wrote is committed although its message is known',
    by: 'a transaction whose message is known writes nothing, and its number stays free',
    says: /what was written/,
    connection: committing((_commit, written, { values, tookHold }, verdict) => {
      if (verdict !== undefined) return;
      tookHold();
      for (const [name, value] of written) values.set(name, value);
    }),
  },
  {
    name: 'what a transaction wrote gets lost',
    by: 'what a transaction wrote is there with its commit',
    says: /what was written/,
    connection: committing((_commit, written, { values, tookHold }) => {
      for (const [name] of written) if (values.delete(name)) tookHold();
    }),
  },
  {
    name: 'the commit of a transaction is written beside it, without the fence',
    by: 'a transaction with another number than the next writes nothing',
    says: /the verdict/,
    connection: transactions((transaction, { tables, tookHold }) => ({
      commit: async (commit) => {
        const fence = tables.fence(commit.shard);
        if (!fence.admits(commit)) tookHold();
        fence.number = commit.number - 1;
        return transaction.commit(commit);
      },
    })),
  },
  {
    name: 'the epoch of a transaction is that of its beginning',
    by: ENDED,
    says: /the verdict/,
    connection: transactions((transaction, { tables, tookHold }) => {
      const { epoch, number, token } = tables.fence(0);
      return {
        commit: async (commit) => {
          const fence = tables.fence(commit.shard);
          if (fence.epoch !== epoch) tookHold();
          Object.assign(fence, { epoch, number, token });
          return transaction.commit(commit);
        },
      };
    }),
  },
  {
    name: 'a failed write is left out, and the others are committed',
    by: 'a transaction of which a write had failed is refused, whatever came after the failure',
    says: /must be rejected, but resolved/,
    connection: transactions((transaction, { tookHold }) => {
      const client = transaction.client as MemoryStoreClient;
      const set: MemoryStoreClient['set'] = async (name, value) => {
        if (typeof value === 'string') return client.set(name, value);
        tookHold();
        throw new TypeError('no text');
      };
      return { client: changed(client, { set }) };
    }),
  },
  {
    name: 'an abandoned transaction is committed',
    by: 'an abandoned transaction writes nothing, and can be abandoned again',
    says: /what was written/,
    connection: (connection, seed) => ({
      begin: async () => {
        const transaction = await connection.begin!();
        const written = new Map<string, string>();
        return changed<StoreTransaction>(transaction, {
          client: watching(transaction, (name, value) => written.set(name, value)),
          abandon: async () => {
            seed.tookHold();
            for (const [name, value] of written) seed.values.set(name, value);
          },
        });
      },
    }),
  },
  ...(['commit', 'abandon'] as const).map((ending): StoreMutant => ({
    name: `a client writes after ${ending}`,
    by: `a transaction refuses everything after ${ending}`,
    says: /a late write must be rejected/,
    connection: transactions((transaction, { values, tookHold }) => {
      const client = transaction.client as MemoryStoreClient;
      const set: MemoryStoreClient['set'] = (name, value) =>
        client.set(name, value).catch(() => {
          tookHold();
          values.set(name, value);
        });
      return { client: changed(client, { set }) };
    }),
  })),
  {
    name: 'an open transaction holds the row of its shard',
    by: OPEN,
    says: /Waited \d+ ms for A\.commit/,
    connection: (connection, { tookHold }) => {
      let release: (() => void) | undefined;
      let held: Promise<void> | undefined;
      return {
        begin: async () => {
          held = new Promise((resolve) => (release = resolve));
          const transaction = await connection.begin!();
          return changed<StoreTransaction>(transaction, {
            commit: (commit) => transaction.commit(commit).finally(release),
          });
        },
        commit: async (commits) => {
          if (held !== undefined) tookHold();
          await held;
          return connection.commit(commits);
        },
      };
    },
  },
  {
    name: 'transactions of a connection are one',
    by: 'transactions side by side are apart',
    says: /The transaction is over|what transaction/,
    connection: (connection, { tookHold }) => {
      let open: Promise<StoreTransaction> | undefined;
      return {
        begin: () => {
          if (open !== undefined) tookHold();
          return (open ??= connection.begin!());
        },
      };
    },
  },
  {
    name: 'a commit that was cut off is written in part',
    by: 'commits that were under way when the connection broke are committed or void, wholly',
    says: /whether a message is known/,
    tables: (tables, { tookHold }) => {
      replaceMethod(tables, 'commit', (commit) => (commits, time) => {
        tookHold();
        return commit(
          commits.map((one) => ({ ...one, handled: [] })),
          time,
        );
      });
    },
  },
  {
    name: 'an opening that was cut off is answered with the epoch before',
    by: 'an epoch is given to nobody else when the answer of its opening was lost',
    says: /the epochs/,
    connection: (connection, { tables, tookHold }) => {
      let broke = false;
      return {
        openShard: async (shard) => {
          const opening = connection.openShard(shard).catch((error: unknown) => {
            broke = true;
            throw error;
          });
          const { epoch, token } = await opening;
          if (!broke) return { epoch, token };
          broke = false;
          tookHold();
          tables.fence(shard).epoch = epoch - 2;
          return { epoch: epoch - 2, token };
        },
      };
    },
  },
  ...(
    [
      ['before', 'a transaction whose connection broke before its commit wrote nothing', /what was written/],
      [
        'in',
        'a transaction whose connection broke in its commit is committed or void, with what it wrote',
        /what was written, void/,
      ],
    ] as const
  ).map(([when, by, says]): StoreMutant => ({
    name: `what a transaction wrote stays when its connection breaks ${when} its commit`,
    by,
    says,
    connection: transactions((transaction, { values, tookHold, tables }) => {
      const written = new Map<string, string>();
      return {
        client: watching(transaction, (name, value) => written.set(name, value)),
        commit: async (commit) => {
          tookHold();
          for (const [name, value] of written) values.set(name, value);
          if (when === 'in') replaceMethod(tables, 'commit', () => () => []);
          return transaction.commit(commit);
        },
      };
    }),
  })),
  {
    name: 'a transaction commits on a closed connection',
    by: 'a closed connection ends its transactions',
    says: /the commit must be rejected/,
    connection: transactions((transaction, { tookHold }) => ({
      commit: (commit) =>
        transaction.commit(commit).catch(() => {
          tookHold();
          return 'committed' as const;
        }),
    })),
  },
  {
    name: 'states are kept by the connection',
    by: 'what was committed is there for every connection, and after all were closed',
    says: /the state for another connection/,
    connection: (connection, { tables, tookHold }) => {
      const keys = new Set<string>();
      return {
        commit: (commits) => {
          for (const { key } of commits.flatMap(({ states }) => states)) keys.add(Buffer.from(key).toString('hex'));
          return connection.commit(commits);
        },
        load: async (asked) => {
          await connection.load(asked);
          return asked.map((key) => {
            if (keys.has(Buffer.from(key).toString('hex'))) return tables.states.get(key, Date.now());
            tookHold();
            return undefined;
          });
        },
      };
    },
  },
  {
    name: 'a connection that broke stays broken',
    by: 'after the connection broke everything works again, without another connection',
    says: /the store to be reached again/,
    // The case loads only after the break.
    connection: (_connection, { tookHold }) => ({
      load: () => {
        tookHold();
        return Promise.reject(new StoreUnavailableError('the connection broke'));
      },
    }),
  },
  {
    name: 'a refused commit is told as a stale one',
    by: 'a message that comes twice in one commit is refused',
    says: /must be rejected, but resolved/,
    connection: (connection, { tookHold }) => ({
      commit: (commits) =>
        connection.commit(commits).catch((error: unknown) => {
          if (!(error instanceof CommitRefusedError)) throw error;
          tookHold();
          return commits.map(() => 'stale' as const);
        }),
    }),
  },
];

/** A connection whose transactions are changed. */
function transactions(
  change: (transaction: StoreTransaction, seed: ConnectionSeed) => Partial<StoreTransaction>,
): NonNullable<StoreMutant['connection']> {
  return (connection, seed) => ({
    begin: async () => {
      const transaction = await connection.begin!();
      return changed(transaction, change(transaction, seed));
    },
  });
}

/** Transactions after whose commit something happens. `verdict` is `undefined` where it was refused. */
function committing(
  then: (
    commit: ShardCommit,
    written: ReadonlyMap<string, string>,
    seed: ConnectionSeed,
    verdict: string | undefined,
  ) => void,
): NonNullable<StoreMutant['connection']> {
  return transactions((transaction, seed) => {
    const written = new Map<string, string>();
    return {
      client: watching(transaction, (name, value) => written.set(name, value)),
      commit: async (commit) => {
        try {
          const verdict = await transaction.commit(commit);
          then(commit, written, seed, verdict);
          return verdict;
        } catch (error) {
          then(commit, written, seed, undefined);
          throw error;
        }
      },
    };
  });
}

/** A transaction's client, each of whose writes is told. */
function watching(transaction: StoreTransaction, tell: (name: string, value: string) => void): MemoryStoreClient {
  const client = transaction.client as MemoryStoreClient;
  return changed(client, {
    set: async (name, value) => {
      await client.set(name, value);
      tell(name, value);
    },
  });
}
