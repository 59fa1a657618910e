import type { ShardSession } from '@mississippi/core/transport';
import { inside, later, shardsOf, soonAfter, type Mutant } from './mutant.js';

/** Shards with no owner, or two, and owners that are told wrongly. */
export const ownershipMutants: readonly Mutant[] = [
  {
    name: 'a shard has two owners',
    by: 'two connections never own a shard at once',
    says: /opened shard 0 while A\/0\/1 owned it/,
    connection: (connection, broker) => ({
      consume: async (consumer) => {
        await connection.consume(consumer);
        if (connection.status().shards > 0) return;
        const shard: Partial<ShardSession> = { shard: 0, parked: [], close: () => Promise.resolve() };
        if (!broker.blocked) consumer.open(shard as ShardSession);
      },
    }),
  },
  {
    name: 'a shard is opened twice',
    by: 'every shard is opened once',
    says: /opened shard \d while A/,
    connection: (connection) => ({
      consume: (consumer) =>
        connection.consume({
          open: (session) => {
            consumer.open(session);
            return consumer.open(session);
          },
        }),
    }),
  },
  {
    name: 'the status counts no shards',
    by: 'every shard is opened once',
    says: /the status/,
    connection: () => ({ status: () => ({ connected: true, blocked: false, shards: 0 }) }),
  },
  {
    name: 'the status counts shards of others',
    by: 'a connection that only publishes owns nothing',
    says: /the status/,
    connection: (_connection, broker) => ({
      status: () => ({ connected: true, blocked: false, shards: broker.totalCount }),
    }),
  },
  {
    name: 'a session that is closed takes its neighbour along',
    by: 'the other shards go on while one comes back',
    says: /deliveries|must last/,
    session: (session, { broker }) => ({
      close: async () => {
        await session.close();
        broker.loseShard(1);
      },
    }),
  },
  {
    name: 'the ownership never gets certain',
    by: 'the ownership of a shard that was opened is certain',
    says: /to be certain/,
    session: () => ({ isCertain: () => false }),
  },
  {
    name: 'a closed session goes on',
    by: 'an epoch that has ended gets nothing after the session was closed',
    says: /after it was closed|gets nothing/,
    session: (session, { receiver }) => ({
      close: async () => {
        const late = {
          key: undefined,
          body: Buffer.of(),
          headers: {},
          messageId: 'late',
          timestamp: 1,
          redelivered: false,
        };
        await session.close();
        void soonAfter().then(() => receiver().deliver(late));
      },
    }),
  },
  {
    name: 'a closed session is lost as well',
    by: 'a session that is open when its connection is closed is lost, once',
    says: /a session that was closed is not lost/,
    session: (session, { receiver }) => ({
      close: async () => {
        await session.close();
        void later().then(() => receiver().lost(new Error('closed')));
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
    broker: (broker) => {
      const lose = broker.loseShard.bind(broker);
      broker.loseShard = (shard, cause) => {
        const { owner } = shardsOf(broker)[shard]!;
        lose(shard, cause);
        owner?.receiver?.lost(new Error('once more'));
      };
    },
  },
  {
    name: 'a loss takes all shards',
    by: 'a shard that is lost is told once',
    says: /must go on|while A\/|was lost/,
    broker: (broker) => {
      const lose = broker.loseShard.bind(broker);
      broker.loseShard = (_shard, cause) => {
        for (let shard = 0; shard < broker.totalCount; shard++) lose(shard, cause);
      };
    },
  },
  {
    name: 'a closed connection tells nobody',
    by: 'a session that is open when its connection is closed is lost, once',
    says: /to be told that it is lost/,
    connection: (connection) => ({
      consume: (consumer) =>
        connection.consume({ open: (session) => Object.assign(consumer.open(session), { lost: () => undefined }) }),
    }),
  },
  {
    name: 'a closed shard stays free',
    by: 'a shard that is closed goes to another connection that claims',
    says: /to open shard 0/,
    session: (session) => {
      Reflect.set(session, 'freed', () => undefined);
      return {};
    },
  },
  {
    name: 'a connection that claims no more goes on claiming',
    by: 'a connection that claims no more keeps what it owns',
    says: /to open shard 0|may open nothing/,
    connection: () => ({ stopClaiming: () => undefined }),
  },
  {
    name: 'a connection that claims no more gives up what it owns',
    by: 'a connection that claims no more keeps what it owns',
    says: /deliveries/,
    connection: (connection, broker) => ({
      stopClaiming: () => {
        connection.stopClaiming();
        for (let shard = 0; shard < broker.totalCount; shard++) broker.loseShard(shard);
      },
    }),
  },
  {
    name: 'a closed connection keeps its shards',
    by: 'all shards go to the other connection when one is closed',
    says: /B to own 4 shards/,
    connection: () => ({ close: () => Promise.resolve() }),
  },
  {
    name: 'a hand-over skips a message',
    by: 'while messages flow no message is skipped when a connection is closed',
    says: /repeats may step back/,
    broker: (_broker, shards) => {
      for (const shard of shards) {
        const give = shard.returnUnsettled.bind(shard);
        shard.returnUnsettled = () => {
          give();
          shard.take();
          inside(shard).unsettled.clear();
        };
      }
    },
  },
];
