import type { InboxEntry, OutboxPosition, OutboxRow, ShardCommit, StateChange } from '@mississippi/core/store';
import type { OutboxTable } from '../../../src/store/memory/outbox-table.js';
import type { InstanceTables } from '../../../src/store/memory/instance-tables.js';
import { replaceMethod } from '../../support/replace-method.js';
import { eachOutbox, type Seed, type StoreMutant } from './store-mutant.js';

const REPLAYED = 'a message that was discarded is replayed by a higher number alone';
const HANDLED = 'a message that was handled is refused, with whatever outcome and payload';
const ORDER = 'rows come in the order of their positions, over many commits and epochs';
const OTHERS = 'a commit removes rows of other shards';
const TTL = 'a state is gone when its ttl has passed without a change, and only then';
const COPIES = 'what was handed over or given out can be changed without effect';

/** States, inbox and outbox that are not what was committed. */
export const contentMutants: readonly StoreMutant[] = [
  {
    name: 'the inbox refuses nothing',
    by: HANDLED,
    says: /must be rejected, but resolved/,
    tables: admittingEntries(() => true),
  },
  {
    name: 'an entry that is there already is left out in silence',
    by: HANDLED,
    says: /must be rejected, but resolved/,
    tables: commitsOf((commit, tables, { tookHold }) => ({
      ...commit,
      handled: commit.handled.filter((entry) => {
        const isNew = tables.inbox.admits(entry);
        if (!isNew) tookHold();
        return isNew;
      }),
    })),
  },
  {
    name: 'a replay is refused',
    by: REPLAYED,
    says: /has the message/,
    tables: admittingEntries((_entry, former) => former === undefined),
  },
  {
    name: 'a replay with the same number is taken',
    by: REPLAYED,
    says: /as replay 2 over discarded as replay 2 must be rejected/,
    tables: admittingEntries((entry, former) => former === undefined || entry.replay >= former.replay),
  },
  {
    name: 'a message that was handled is replayed',
    by: 'a message that was handled is not replayed',
    says: /must be rejected, but resolved/,
    tables: admittingEntries((entry, former) => former === undefined || entry.replay > former.replay),
  },
  {
    name: 'a replay leaves the former entry',
    by: REPLAYED,
    says: /the entry of the replay/,
    tables: ({ inbox }, { tookHold }) => {
      replaceMethod(inbox, 'write', (write) => (entry) => {
        if (entry.replay === 0) write(entry);
        else tookHold();
      });
    },
  },
  {
    name: 'a message is known by its id alone',
    by: 'a message is known by its key and its id together',
    says: /the same id of another key/,
    tables: identities(({ messageId }) => ({ key: Buffer.of(), messageId })),
  },
  {
    name: 'a message is known by its key and its id, put together',
    by: 'a message is known by its key and its id together',
    says: /must|only one/,
    tables: identities(({ key, messageId }) => ({
      key: Buffer.of(),
      messageId: Buffer.from(key).toString('latin1') + messageId,
    })),
  },
  {
    name: 'an id ends at its first NUL',
    by: 'ids of any characters are told apart',
    says: /only one entry/,
    tables: identities(({ key, messageId }) => ({ key, messageId: messageId.replace(/\0.*/s, '') })),
  },
  {
    name: 'ids that UTF-8 has no form for are one',
    by: 'an id without a form in UTF-8 is kept as it is, or refused',
    says: /the entry of "m/,
    connection: (connection, { tookHold }) => ({
      lookUp: (messages) =>
        connection.lookUp(
          messages.map(({ key, messageId }) => {
            const through = Buffer.from(messageId).toString();
            if (through !== messageId) tookHold();
            return { key, messageId: through };
          }),
        ),
    }),
  },
  {
    name: 'messages that are not known are left out of the answers',
    by: 'messages are looked up in their order, repeated and unknown ones too',
    says: /the number of answers/,
    connection: (connection, { tookHold }) => ({
      lookUp: async (messages) => {
        const found = await connection.lookUp(messages);
        if (found.includes(undefined)) tookHold();
        return found.filter((entry) => entry !== undefined);
      },
    }),
  },
  {
    name: 'states are loaded once for each key',
    by: 'states are loaded in the order of their keys, repeated and unknown ones too',
    says: /what was loaded/,
    connection: (connection, { tookHold }) => ({
      load: async (keys) => {
        const distinct = [...new Set(keys)];
        if (distinct.length < keys.length) tookHold();
        return connection.load(distinct);
      },
    }),
  },
  {
    name: 'keys are texts',
    by: 'keys of any bytes are told apart',
    says: /the state of key 0/,
    tables: commitsOf((commit, _tables, { tookHold }) => ({
      ...commit,
      states: commit.states.map((change) => {
        const key = Buffer.from(Buffer.from(change.key).toString());
        if (Buffer.compare(key, change.key) !== 0) tookHold();
        return { ...change, key };
      }),
    })),
  },
  {
    name: 'the version of a state is that of its first',
    by: 'the last of several states of a key stands, with its version',
    says: /the version/,
    tables: statesOf((change, { tookHold }) => {
      if (change.state === undefined || change.state.version === 3) return change;
      tookHold();
      return { ...change, state: { ...change.state, version: 3 } };
    }),
  },
  {
    name: 'a forgotten state stays, empty',
    by: 'a forgotten key has no state, until it gets one again',
    says: /the state of a key that never had one/,
    tables: statesOf((change, { tookHold }) => {
      if (change.state !== undefined) return change;
      tookHold();
      return { ...change, state: { bytes: Buffer.of(), version: 0 } };
    }),
  },
  {
    name: 'a state outlives its ttl',
    by: TTL,
    says: /too short for a state to be gone/,
    tables: statesOf((change, { tookHold }) => {
      if (change.ttl !== undefined) tookHold();
      return { ...change, ttl: undefined };
    }),
  },
  {
    name: 'a ttl is kept by a change that has none',
    by: TTL,
    says: /whose ttl was taken away/,
    tables: (tables, seed) => {
      const ttls = new Map<string, number>();
      statesOf((change, { tookHold }) => {
        const name = Buffer.from(change.key).toString('hex');
        const ttl = change.ttl ?? ttls.get(name);
        if (ttl !== change.ttl) tookHold();
        if (ttl !== undefined) ttls.set(name, ttl);
        return { ...change, ttl };
      })(tables, seed);
    },
  },
  {
    name: 'a ttl is kept in 32 bits',
    by: 'a ttl of weeks and years is taken',
    says: /a ttl of 30 days/,
    tables: statesOf((change, { tookHold }) => {
      if (change.ttl === undefined) return change;
      tookHold();
      return { ...change, ttl: change.ttl | 0 };
    }),
  },
  {
    name: 'a state is the very bytes that were handed over',
    by: COPIES,
    says: /the state the first time/,
    connection: (connection, { tables, tookHold }) => ({
      commit: async (commits) => {
        const verdicts = await connection.commit(commits);
        for (const change of commits.flatMap(({ states }) => states)) {
          tookHold();
          tables.states.write(change, Date.now());
        }
        return verdicts;
      },
    }),
  },
  {
    name: 'the very bytes of a state are given out',
    by: COPIES,
    says: /the state the second time/,
    tables: ({ states }, { tookHold }) => {
      let given: ReturnType<typeof states.get>;
      replaceMethod(states, 'get', (get) => (key, time) => {
        if (given !== undefined) tookHold();
        return (given ??= get(key, time));
      });
    },
  },
  {
    name: 'rows come by their commit numbers, whatever the epoch',
    by: ORDER,
    says: /the rows/,
    tables: ordered((a, b) => a.commit - b.commit || a.epoch - b.epoch || a.index - b.index),
  },
  {
    name: 'the last row of a commit comes first',
    by: ORDER,
    says: /the rows/,
    tables: ordered((a, b) => a.epoch - b.epoch || a.commit - b.commit || b.index - a.index),
  },
  {
    name: 'rows come in the order of the groups that brought them, and of the shards in these',
    by: ORDER,
    says: /the rows/,
    tables: ordered((a, b) => a.epoch - b.epoch || a.index - b.index || a.commit - b.commit),
  },
  {
    name: 'positions are compared as texts',
    by: ORDER,
    says: /the rows/,
    tables: ordered((a, b) => (asText(a) < asText(b) ? -1 : 1)),
  },
  {
    name: 'a page begins with the row that was read last',
    by: 'rows are read in pages of any size',
    says: /the rows in pages of|Waited/,
    tables: eachOutbox((outbox, { tookHold }) => {
      replaceMethod(outbox, 'read', (read) => (after, limit) => {
        if (after === undefined || limit === 1) return read(after, limit);
        tookHold();
        return read({ ...after, index: after.index - 1 }, limit);
      });
    }),
  },
  {
    name: 'a page is larger than was asked for',
    by: 'rows are read in pages of any size',
    says: /a page of 1 has 2 rows/,
    tables: eachOutbox((outbox, { tookHold }) => {
      replaceMethod(outbox, 'read', (read) => (after, limit) => {
        tookHold();
        return read(after, limit + 1);
      });
    }),
  },
  {
    name: 'a page begins anew where its row is gone',
    by: 'a page begins behind a position whose row is gone, or never was',
    says: /the rows behind one that is gone/,
    tables: eachOutbox((outbox, { tookHold }) => {
      replaceMethod(outbox, 'read', (read) => (after, limit) => {
        const isThere = read(undefined, Infinity).some((row) => asText(row.position) === (after && asText(after)));
        if (after !== undefined && !isThere) tookHold();
        return read(isThere ? after : undefined, limit);
      });
    }),
  },
  {
    name: 'with a row all of its commit goes',
    by: 'rows go when they are named, each alone',
    says: /what is left/,
    tables: eachOutbox((outbox, { tookHold }) => {
      replaceMethod(outbox, 'remove', (remove) => (position) => {
        for (const row of rowsOf(outbox)) {
          if (row.position.epoch !== position.epoch || row.position.commit !== position.commit) continue;
          if (row.position.index !== position.index) tookHold();
          remove(row.position);
        }
      });
    }),
  },
  {
    name: 'a row that is gone already refuses its commit',
    by: 'rows that are gone already, or never were, do not matter',
    says: /no such row/,
    tables: eachOutbox((outbox, { tookHold }) => {
      replaceMethod(outbox, 'remove', (remove) => (position) => {
        if (!rowsOf(outbox).some((row) => asText(row.position) === asText(position))) {
          tookHold();
          throw new Error('no such row');
        }
        remove(position);
      });
    }),
  },
  {
    name: 'rows of other shards stay',
    by: OTHERS,
    says: /the outbox of -1/,
    tables: commitsOf((commit, _tables, { tookHold }) => ({
      ...commit,
      sent: commit.sent.filter(({ shard }) => {
        if (shard !== commit.shard) tookHold();
        return shard === commit.shard;
      }),
    })),
  },
  {
    name: 'a row goes from every shard',
    by: OTHERS,
    says: /the outbox of 1/,
    tables: commitsOf((commit, _tables, { tookHold }) => {
      if (commit.sent.length > 0) tookHold();
      return {
        ...commit,
        sent: commit.sent.flatMap((position) => [-1, 0, 1].map((shard) => ({ ...position, shard }))),
      };
    }),
  },
  {
    name: 'rows go when they are read',
    by: 'rows that were read stay until they are removed',
    says: /what the former owner finds/,
    tables: eachOutbox((outbox, { tookHold }) => {
      replaceMethod(outbox, 'read', (read) => (after, limit) => {
        const rows = read(after, limit);
        for (const { position } of rows) {
          tookHold();
          outbox.remove(position);
        }
        return rows;
      });
    }),
  },
  {
    name: 'headers are kept as JSON',
    by: 'messages come back as they were, with every kind of header',
    says: /the headers|the header/,
    tables: messagesOf((message, { tookHold }) => {
      tookHold();
      const json = JSON.stringify(message.headers, (_name, value: unknown) =>
        typeof value === 'bigint' ? Number(value) : value,
      );
      return { ...message, headers: JSON.parse(json) as typeof message.headers };
    }),
  },
  {
    name: 'a message without a timestamp gets one',
    by: 'messages come back as they were, with every kind of header',
    says: /what out \d+ is/,
    tables: messagesOf((message, { tookHold }) => {
      if (message.timestamp === undefined) tookHold();
      return { ...message, timestamp: message.timestamp ?? 0 };
    }),
  },
];

/** An inbox that admits other entries than it should. */
function admittingEntries(
  isAdmitted: (entry: InboxEntry, former: InboxEntry | undefined) => boolean,
): NonNullable<StoreMutant['tables']> {
  return ({ inbox }, { tookHold }) => {
    replaceMethod(inbox, 'admits', (admits) => (entry) => {
      const does = isAdmitted(entry, inbox.get(entry));
      if (does !== admits(entry)) tookHold();
      return does;
    });
  };
}

/** Tables that write another commit than they are given. */
function commitsOf(
  change: (commit: ShardCommit, tables: InstanceTables, seed: Seed) => ShardCommit,
): NonNullable<StoreMutant['tables']> {
  return (tables, seed) => {
    replaceMethod(tables, 'commit', (commit) => (commits, time) => {
      return commit(
        commits.map((one) => change(one, tables, seed)),
        time,
      );
    });
  };
}

function statesOf(change: (state: StateChange, seed: Seed) => StateChange): NonNullable<StoreMutant['tables']> {
  return ({ states }, seed) => {
    replaceMethod(states, 'write', (write) => (state, time) => write(change(state, seed), time));
  };
}

function messagesOf(
  change: (message: OutboxRow['message'], seed: Seed) => OutboxRow['message'],
): NonNullable<StoreMutant['tables']> {
  return eachOutbox((outbox, seed) => {
    replaceMethod(outbox, 'write', (write) => (position, message) => write(position, change(message, seed)));
  });
}

/** Tables that take messages for others. */
function identities(
  change: (entry: Pick<InboxEntry, 'key' | 'messageId'>) => Pick<InboxEntry, 'key' | 'messageId'>,
): NonNullable<StoreMutant['tables']> {
  return (tables, seed) => {
    commitsOf((commit, _tables, { tookHold }) => {
      if (commit.handled.length > 0) tookHold();
      return { ...commit, handled: commit.handled.map((entry) => ({ ...entry, ...change(entry) })) };
    })(tables, seed);
    replaceMethod(tables.inbox, 'get', (get) => (message) => {
      const entry = get(change(message));
      return entry && { ...entry, ...message };
    });
  };
}

/** An outbox in another order. */
function ordered(compare: (a: OutboxPosition, b: OutboxPosition) => number): NonNullable<StoreMutant['tables']> {
  return eachOutbox((outbox, { tookHold }) => {
    replaceMethod(outbox, 'read', (read) => () => {
      const rows = read(undefined, Infinity);
      const sorted = rows.toSorted((a, b) => compare(a.position, b.position));
      if (sorted.some((row, index) => row !== rows[index])) tookHold();
      return sorted;
    });
  });
}

function rowsOf(outbox: OutboxTable): OutboxRow[] {
  return outbox.read(undefined, Infinity);
}

function asText({ epoch, commit, index }: OutboxPosition): string {
  return [epoch, commit, index].join('.');
}
