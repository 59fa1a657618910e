import type { ShardConsumer, ShardReceiver } from '@mississippi/core/transport';
import { MemoryMessage } from '../../../src/memory/broker/memory-message.js';
import { STRAY, type Mutant, type SessionSeed } from './mutant.js';
import { replaceMethod } from '../../support/replace-method.js';

const WAITS = 'messages wait while their shard is opened';
const OVERTAKEN = 'an epoch that ends while its shard is opened is lost, once, as soon as it is open, after ';
const REFUSED = 'a shard that cannot be opened is claimed again later';

/** A core that opens slowly, or not at all, and a transport that does not bear with it. */
export const openingMutants: readonly Mutant[] = [
  {
    name: 'what comes while a shard is opened is dropped',
    by: WAITS,
    says: /deliveries/,
    broker: ({ shards, ownership }, { tookHold }) => {
      for (const { queue, index } of shards) {
        replaceMethod(queue, 'append', (append) => (message) => {
          if (ownership.ownerOf(index) === undefined || queue.taker !== undefined) append(message);
          else tookHold();
        });
      }
    },
  },
  {
    name: 'what waited before a shard was opened is delivered last',
    by: WAITS,
    says: /the order/,
    open: afterOpening(({ shard: { queue }, tookHold }) => {
      const messages: MemoryMessage[] = [];
      for (let message = queue.ready.shift(); message !== undefined; message = queue.ready.shift()) {
        messages.push(message);
      }
      if (messages.length > 1) tookHold();
      for (const message of messages.toReversed()) queue.ready.push(message);
    }),
  },
  {
    name: 'what came while a shard was opened comes twice',
    by: WAITS,
    says: /the order/,
    open: afterOpening(({ shard: { queue }, tookHold }) => {
      const first = queue.ready.peek();
      if (first === undefined) return;
      const { key, body, headers, messageId, timestamp } = first;
      tookHold();
      queue.append(new MemoryMessage(key, body, headers, messageId, timestamp));
    }),
  },
  {
    name: 'what came while a shard was opened comes all at once',
    by: WAITS,
    says: /but prefetch is 5/,
    open: afterOpening(({ shard: { queue }, prefetch, tookHold }, receiver) => {
      if (queue.ready.length > prefetch) tookHold();
      for (let message = queue.take(); message !== undefined; message = queue.take()) receiver.deliver(message);
    }),
  },
  {
    name: 'shards are opened one after the other',
    by: 'a shard that is still opened does not hold up the others',
    says: /to open shard 1/,
    connection: (connection, { tookHold }) => ({
      consume: (consumer) => {
        let last: Promise<unknown> = Promise.resolve();
        let opening = 0;
        const open: ShardConsumer['open'] = (session) => {
          if (opening++ > 0) tookHold();
          const opened = last.then(() => consumer.open(session)).finally(() => opening--);
          last = opened;
          return opened;
        };
        return connection.consume({ open });
      },
    }),
  },
  ...['the shard was lost', 'the connection was closed'].flatMap((ending): Mutant[] => [
    {
      name: `nobody is told that ${ending} while it was opened`,
      by: OVERTAKEN + ending,
      says: /to be told that it is lost/,
      receiver: (_receiver, { session, tookHold }) => (session.ended ? { lost: tookHold } : {}),
    },
    {
      name: `it is told twice that ${ending} while it was opened`,
      by: OVERTAKEN + ending,
      says: /was lost after it was lost/,
      receiver: (receiver, { session, tookHold }) => ({
        lost: (cause) => {
          receiver.lost(cause);
          if (!session.ended) return;
          tookHold();
          receiver.lost(cause);
        },
      }),
    },
    {
      name: `an epoch that ended while it was opened, since ${ending}, gets something`,
      by: OVERTAKEN + ending,
      says: /got stray after it was lost/,
      receiver: (receiver, { session, tookHold }) => ({
        lost: (cause) => {
          receiver.lost(cause);
          if (!session.ended) return;
          tookHold();
          receiver.deliver(STRAY);
        },
      }),
    },
    {
      name: `what waited is settled for an epoch that ended while it was opened, since ${ending}`,
      by: OVERTAKEN + ending,
      says: /deliveries/,
      broker: ({ shards, ownership }, { tookHold }) => {
        for (const { queue, index } of shards) {
          replaceMethod(queue, 'returnUnsettled', (giveBack) => () => {
            if (ownership.ownerOf(index)?.receiver === undefined && queue.take() !== undefined) tookHold();
            queue.unsettled.clear();
            giveBack();
          });
        }
      },
    },
  ]),
  {
    name: 'a shard that cannot be opened is claimed again at once',
    by: REFUSED,
    says: /must rest/,
    open: whenRefused(async ({ session, tookHold }) => {
      tookHold();
      await session.close();
    }),
  },
  {
    name: 'a shard that cannot be opened is never claimed again',
    by: REFUSED,
    says: /shard 0 to be opened 3 times/,
    open: whenRefused(({ tookHold }) => {
      tookHold();
      return new Promise(() => undefined);
    }),
  },
  {
    name: 'a shard that cannot be opened loses a message',
    by: REFUSED,
    says: /the order|deliveries/,
    open: whenRefused(async ({ shard: { queue }, tookHold }) => {
      if (queue.take() !== undefined) tookHold();
      queue.unsettled.clear();
    }),
  },
  {
    name: 'a shard that was opened at last is opened once more',
    by: REFUSED,
    says: /while B\/0\/3 owned it/,
    open: (consumer, { tookHold }) => {
      return async (session) => {
        const receiver = await consumer.open(session);
        if (receiver.epoch < 3) return receiver;
        tookHold();
        return consumer.open(session);
      };
    },
  },
  {
    name: 'a session that was refused reads on',
    by: REFUSED,
    says: /which was refused/,
    session: (session, { tookHold }) => ({
      readParked: (key) => {
        if (!session.ended) return session.readParked(key);
        tookHold();
        return { next: () => Promise.resolve(STRAY), close: () => undefined };
      },
    }),
  },
];

/** An opening with something that follows when it has succeeded. */
function afterOpening(then: (seed: SessionSeed, receiver: ShardReceiver) => void): NonNullable<Mutant['open']> {
  return (consumer, seed) =>
    async (session): Promise<ShardReceiver> => {
      const receiver = await consumer.open(session);
      then(seed, receiver);
      return receiver;
    };
}

/** An opening with something that follows when it has failed. */
function whenRefused(then: (seed: SessionSeed) => Promise<void>): NonNullable<Mutant['open']> {
  return (consumer, seed) =>
    async (session): Promise<ShardReceiver> => {
      try {
        return await consumer.open(session);
      } catch (error) {
        await then(seed);
        throw error;
      }
    };
}
