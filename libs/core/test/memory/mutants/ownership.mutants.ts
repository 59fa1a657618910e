import type { ShardSession } from '@mississippi/core/transport';
import { systemClock } from '../../../src/index.js';
import type { MemoryShard } from '../../../src/memory/broker/memory-shard.js';
import { later, soonAfter, STRAY, type Mutant } from './mutant.js';
import { replaceMethod } from '../../support/replace-method.js';

/** Shards with no owner, or two, and owners that are told wrongly. */
export const ownershipMutants: readonly Mutant[] = [
  {
    name: 'a connection that was closed while it began to consume claims nevertheless',
    by: 'a connection that is closed while it begins to consume owns nothing',
    says: /B to own 4 shards/,
    connection: (_connection, { broker, prefetch, tookHold }) => ({
      consume: async (consumer) => {
        await later();
        tookHold();
        broker.ownership.join({ consumer, prefetch, clock: systemClock });
      },
    }),
  },
  {
    name: 'a shard has two owners',
    by: 'two connections never own a shard at once',
    says: /opened shard 0 while A\/0\/1 owned it/,
    connection: (connection, { broker, tookHold }) => ({
      consume: async (consumer) => {
        await connection.consume(consumer);
        if (connection.status().shards > 0 || broker.admission.blocked) return;
        const session: Partial<ShardSession> = { shard: 0, parked: [], close: () => Promise.resolve() };
        tookHold();
        void consumer.open(session as ShardSession);
      },
    }),
  },
  {
    name: 'a shard is opened twice',
    by: 'every shard is opened once',
    says: /opened shard \d while A/,
    open:
      (consumer, { tookHold }) =>
      (session) => {
        tookHold();
        void consumer.open(session);
        return consumer.open(session);
      },
  },
  {
    name: 'the status counts no shards',
    by: 'every shard is opened once',
    says: /the status/,
    connection: (connection, { tookHold }) => ({
      status: () => {
        const status = connection.status();
        if (status.shards > 0) tookHold();
        return { ...status, shards: 0 };
      },
    }),
  },
  {
    name: 'the status counts shards of others',
    by: 'a connection that only publishes owns nothing',
    says: /the status/,
    connection: (connection, { broker, tookHold }) => ({
      status: () => {
        const status = connection.status();
        if (status.shards < broker.shards.length) tookHold();
        return { ...status, shards: broker.shards.length };
      },
    }),
  },
  {
    name: 'a session that is closed takes its neighbour along',
    by: 'the other shards go on while one comes back',
    says: /deliveries|must last/,
    session: (session, { broker, tookHold }) => ({
      close: async () => {
        await session.close();
        const neighbour = broker.ownership.ownerOf(1);
        if (neighbour !== undefined) tookHold();
        neighbour?.lose(new Error('a neighbour was closed'));
      },
    }),
  },
  {
    name: 'a closed session goes on',
    by: 'an epoch that has ended gets nothing after the session was closed',
    says: /after it was closed|gets nothing/,
    session: (session, { receiver, tookHold }) => ({
      close: async () => {
        await session.close();
        void soonAfter().then(() => {
          tookHold();
          receiver().deliver(STRAY);
        });
      },
    }),
  },
  {
    name: 'a closed session is lost as well',
    by: 'a session that is open when its connection is closed is lost, once',
    says: /a session that was closed is not lost/,
    session: (session, { receiver, tookHold }) => ({
      close: async () => {
        await session.close();
        void later().then(() => {
          tookHold();
          receiver().lost(new Error('closed'));
        });
        await later();
      },
    }),
    connection: (connection) => ({
      close: async () => {
        await later();
        await later();
        await connection.close();
      },
    }),
  },
  {
    name: 'a loss is told twice',
    by: 'a shard that is lost is told once',
    says: /was lost after it was lost/,
    session: (session, { receiver, tookHold }) => {
      replaceMethod(session, 'lose', (lose) => (cause) => {
        const { ended } = session;
        lose(cause);
        if (ended) return;
        tookHold();
        receiver().lost(new Error('once more'));
      });
      return {};
    },
  },
  {
    name: 'a loss takes all shards',
    by: 'a shard that is lost is told once',
    says: /must go on|while A\/|was lost/,
    session: (session, { broker, tookHold }) => {
      replaceMethod(session, 'lose', (lose) => (cause) => {
        lose(cause);
        for (const { index } of broker.shards) {
          const other = broker.ownership.ownerOf(index);
          if (other !== undefined) tookHold();
          other?.lose(cause);
        }
      });
      return {};
    },
  },
  {
    name: 'a closed connection tells nobody',
    by: 'a session that is open when its connection is closed is lost, once',
    says: /to be told that it is lost/,
    receiver: (_receiver, { tookHold }) => ({ lost: () => tookHold() }),
  },
  {
    name: 'a closed shard stays free',
    by: 'a shard that is closed goes to another connection that claims',
    says: /to open shard 0/,
    broker: ({ ownership }, { tookHold }) => {
      const offered = new Set<MemoryShard>();
      replaceMethod(ownership, 'offer', (offer) => (shard) => {
        if (offered.has(shard) && ownership.ownerOf(shard.index) === undefined) {
          tookHold();
          return;
        }
        offered.add(shard);
        offer(shard);
      });
    },
  },
  {
    name: 'a connection that claims no more goes on claiming',
    by: 'a connection that claims no more keeps what it owns',
    says: /to open shard 0|may open nothing/,
    connection: (_connection, { tookHold }) => ({ stopClaiming: tookHold }),
  },
  {
    name: 'a connection that claims no more gives up what it owns',
    by: 'a connection that claims no more keeps what it owns',
    says: /deliveries/,
    connection: (connection, { broker, tookHold }) => ({
      stopClaiming: () => {
        connection.stopClaiming();
        for (const { index } of broker.shards) {
          const session = broker.ownership.ownerOf(index);
          if (session !== undefined) tookHold();
          session?.lose(new Error('it claims no more'));
        }
      },
    }),
  },
  {
    name: 'a closed connection keeps its shards',
    by: 'all shards go to the other connection when one is closed',
    says: /B to own 4 shards/,
    connection: (_connection, { tookHold }) => ({ close: async () => tookHold() }),
  },
  {
    name: 'a hand-over skips a message',
    by: 'while messages flow no message is skipped when a connection is closed',
    says: /repeats may step back/,
    broker: ({ shards }, { tookHold }) => {
      for (const { queue } of shards) {
        replaceMethod(queue, 'returnUnsettled', (giveBack) => () => {
          giveBack();
          if (queue.take() !== undefined) tookHold();
          queue.unsettled.clear();
        });
      }
    },
  },
];
