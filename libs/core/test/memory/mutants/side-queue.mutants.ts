import type { Delivery, ParkedReader } from '@mississippi/core/transport';
import { canonicalKey, keyId } from '@mississippi/core/transport';
import { MemoryMessage } from '../../../src/memory/broker/memory-message.js';
import { asMemory, later, rewrite, type Mutant } from './mutant.js';
import { replaceMethod } from '../../support/replace-method.js';

const LISTED = 'the next session lists what was parked, in the order of the calls, after ';
const ENDED = 'a dead letter, a move and a read after the session was closed';

/** Moves that get lost or out of order, and readers that read wrongly. */
export const sideQueueMutants: readonly Mutant[] = [
  {
    name: 'the notes of a move are lost, so that nobody knows why it was made',
    by: 'a message whose type nobody claims waits',
    says: /two messages to be handled/,
    session: (session, { tookHold }) => ({
      park: async (delivery, mode) => {
        tookHold();
        return session.park(delivery, mode, {});
      },
    }),
  },
  {
    name: 'a move is settled before it is appended',
    by: 'an epoch that ends while dead letters and moves wait',
    says: /must not be lost/,
    session: (session, { broker, tookHold }) => ({
      park: async (delivery, mode, notes) => {
        if (broker.admission.blocked) tookHold();
        session.settle(delivery);
        await broker.admission.taking();
        await session.park(delivery, mode, notes);
      },
    }),
  },
  {
    name: 'moves overtake each other',
    by: `${LISTED}the session was closed`,
    says: /the key of parked entry 0|the mode of parked entry 0/,
    session: (session, { tookHold }) => {
      let calls = 0;
      return {
        park: async (delivery, mode, notes) => {
          if (calls++ === 0) {
            await later();
            if (calls > 1) tookHold();
          }
          return session.park(delivery, mode, notes);
        },
      };
    },
  },
  {
    name: 'what is parked is listed by key',
    by: `${LISTED}the session was closed`,
    says: /the key of parked entry/,
    session: ({ parked }, { tookHold }) => {
      const sorted = [...parked].sort((a, b) => Buffer.compare(a.key!, b.key!));
      if (sorted.some((entry, index) => entry !== parked[index])) tookHold();
      return { parked: sorted };
    },
  },
  {
    name: 'later moves go ahead of earlier ones',
    by: 'what several sessions parked is listed in the order of the moves',
    says: /the key of parked entry 0/,
    broker: ({ shards }, { tookHold }) => {
      for (const { side } of shards) {
        replaceMethod(side, 'append', (append) => (message) => {
          const earlier = [...side.messages];
          if (earlier.length > 0) tookHold();
          append(message);
          for (const each of earlier) if (side.messages.delete(each)) side.messages.add(each);
        });
      }
    },
  },
  {
    name: 'all shards share one side queue',
    by: 'each shard has a side queue of its own',
    says: /how many are listed as parked/,
    session: (session, { broker, tookHold }) => {
      const parked = broker.shards.flatMap(({ side }) =>
        Array.from(side.messages, ({ key, parked: how, messageId, properties }) => {
          return { key: key!, ...how!, messageId, type: properties?.type };
        }),
      );
      if (parked.length > session.parked.length) tookHold();
      return { parked };
    },
  },
  {
    name: 'a redelivered message cannot be parked',
    by: 'a redelivered message can be parked as well',
    says: /parked once only/,
    session: (session, { tookHold }) => ({
      park: async (delivery, mode, notes) => {
        if (!delivery.redelivered) return session.park(delivery, mode, notes);
        tookHold();
        throw new Error('parked once only');
      },
    }),
  },
  {
    name: 'the mode gets lost',
    by: `${LISTED}the session was closed`,
    says: /the mode of parked entry/,
    session: (session, { tookHold }) => ({
      park: (delivery, mode, notes) => {
        if (mode !== 'held') tookHold();
        return session.park(delivery, 'held', notes);
      },
    }),
  },
  {
    name: 'the notes get lost',
    by: `${LISTED}the session was closed`,
    says: /the header mississippi_reason of parked entry/,
    session: (session, { tookHold }) => ({
      park: (delivery, mode, notes) => {
        if (Object.keys(notes).length > 0) tookHold();
        return session.park(delivery, mode, {});
      },
    }),
  },
  {
    name: 'the side queue is not read before the session is opened',
    by: `${LISTED}the shard was lost`,
    says: /how many are listed as parked/,
    session: (session, { tookHold }) => {
      if (session.parked.length > 0) tookHold();
      return { parked: [] };
    },
  },
  {
    name: 'the side queue dies with its owner',
    by: `${LISTED}a crash`,
    says: /how many are listed as parked/,
    broker: ({ shards }, { tookHold }) => {
      for (const { side } of shards) {
        replaceMethod(side, 'markRedelivered', () => () => {
          if (side.messages.size > 0) tookHold();
          side.messages.clear();
          side.byKey.clear();
        });
      }
    },
  },
  {
    name: 'a parked message stays in the window',
    by: 'a parked message leaves the window',
    says: /deliveries/,
    session: (session, { shard, tookHold }) => ({
      park: async (delivery, mode, notes) => {
        await session.park(delivery, mode, notes);
        tookHold();
        shard.queue.unsettled.add(asMemory(delivery));
      },
    }),
  },
  {
    name: 'a parked message goes to the tail of the shard as well',
    by: 'what was parked is not delivered, and the others keep their order, after the session was closed',
    says: /what comes back|twice/,
    session: (session, { shard, tookHold }) => ({
      park: async (delivery, mode, notes) => {
        await session.park(delivery, mode, notes);
        const { key, body, headers, messageId, timestamp } = delivery;
        tookHold();
        shard.queue.append(new MemoryMessage(key, body, headers, messageId, timestamp));
      },
    }),
  },
  {
    name: 'a blocked broker makes moves fail',
    by: 'moves wait while the broker is blocked',
    says: /blocked, so not parked/,
    session: (session, { broker, tookHold }) => ({
      park: async (delivery, mode, notes) => {
        if (!broker.admission.blocked) return session.park(delivery, mode, notes);
        tookHold();
        throw new Error('blocked, so not parked');
      },
    }),
  },
  {
    name: 'a reader goes on without a settlement',
    by: 'a reader gives a key’s parked messages in order',
    says: /the first message that is not settled/,
    session: (_session, { shard: { side }, tookHold }) => ({
      readParked: () => {
        const messages = side.messages.values();
        const next = async (): Promise<Delivery> => {
          const message = messages.next().value;
          if (message !== [...side.messages][0]) tookHold();
          return message as Delivery;
        };
        return { next, close: () => undefined };
      },
    }),
  },
  {
    name: 'to read is to settle',
    by: 'what was read and not settled is parked still, in order, after a crash',
    says: /what the next owner finds/,
    session: (session, { tookHold }) => ({
      readParked: (key) =>
        reading(session.readParked(key), async (next) => {
          const delivery = await next();
          tookHold();
          session.settle(delivery);
          return delivery;
        }),
    }),
  },
  {
    name: 'a reader with nothing to read fails',
    by: 'a reader waits while its key has nothing parked',
    says: /there is nothing to read yet/,
    session: (session, { shard, tookHold }) => ({
      readParked: (key) =>
        reading(session.readParked(key), async (next) => {
          if (shard.side.first(keyId(key!)) !== undefined) return next();
          tookHold();
          throw new Error('empty');
        }),
    }),
  },
  {
    name: 'a waiting reader is not woken',
    by: 'a reader waits while its key has nothing parked',
    says: /for a waiting read/,
    session: (session, { tookHold }) => ({
      park: async (delivery, mode, notes) => {
        const waiting = [...session.readers];
        if (waiting.length > 0) tookHold();
        session.readers.clear();
        await session.park(delivery, mode, notes);
        for (const reader of waiting) session.readers.add(reader);
      },
    }),
  },
  {
    name: 'a reader reads other keys too',
    by: 'readers of different keys do not disturb each other',
    says: /the next message of the key/,
    session: (session, { shard, tookHold }) => ({
      readParked: (key) => {
        const [first] = shard.side.messages;
        const other = first?.key ?? key;
        if (Buffer.compare(other!, key!) !== 0) tookHold();
        return session.readParked(other);
      },
    }),
  },
  {
    name: 'a parked message that was settled comes back',
    by: 'a parked message that is settled is gone for good',
    says: /what is left/,
    session: (session, { shard, tookHold }) => ({
      settle: (delivery) => {
        session.settle(delivery);
        if (asMemory(delivery).parked === undefined) return;
        tookHold();
        shard.side.messages.add(asMemory(delivery));
      },
    }),
  },
  {
    name: 'to close a reader removes what it read',
    by: 'to close a reader leaves the messages where they were',
    says: /a read of the side queue/,
    session: (session, { tookHold }) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        let last: Delivery | undefined;
        return {
          next: async () => (last = await reader.next()),
          close: () => {
            if (last !== undefined) {
              tookHold();
              session.settle(last);
            }
            reader.close();
          },
        };
      },
    }),
  },
  {
    name: 'a closed reader takes what comes later',
    by: 'to close a reader leaves the messages where they were',
    says: /a read of the side queue/,
    session: (session, { tookHold }) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        const take = async (): Promise<void> => {
          const delivery = await reader.next();
          tookHold();
          session.settle(delivery);
        };
        return { next: () => reader.next(), close: () => void take().catch(() => undefined) };
      },
    }),
  },
  {
    name: 'what an earlier owner read is not marked',
    by: 'what was read and not settled is parked still, in order, after the session was closed',
    says: /must be marked as redelivered/,
    session: (session, seed) => ({
      readParked: (key) =>
        reading(session.readParked(key), async (next) => rewrite(await next(), { redelivered: false }, seed)),
    }),
  },
  {
    name: 'parked messages are read without their headers',
    by: 'a parked message is read as it was published',
    says: /the header kind of m1/,
    session: (session, seed) => ({
      park: (delivery, mode, notes) => session.park(rewrite(delivery, { headers: notes }, seed), mode, notes),
    }),
  },
  {
    name: 'a dead-lettered message stays parked',
    by: 'a parked message can be dead-lettered',
    says: /the next message/,
    session: (session, { broker, tookHold }) => ({
      deadLetter: async (delivery, notes) => {
        if (asMemory(delivery).parked === undefined) return session.deadLetter(delivery, notes);
        tookHold();
        broker.deadLetters.add(asMemory(delivery), notes);
      },
    }),
  },
  {
    name: 'an ended session reads on',
    by: ENDED,
    says: /a read had to be rejected/,
    session: (session, { shard, tookHold }) => ({
      readParked: (key) => {
        const [first] = shard.side.messages;
        if (!session.ended || first === undefined) return session.readParked(key);
        tookHold();
        return { next: () => Promise.resolve(first), close: () => undefined };
      },
    }),
  },
  {
    name: 'a waiting read is forgotten when the session ends',
    by: 'a waiting read is rejected after the session was closed',
    says: /a waiting read to be rejected; meanwhile/,
    session: (session, { tookHold }) => ({
      readParked: (key) =>
        reading(session.readParked(key), (next) =>
          next().catch(() => {
            tookHold();
            return new Promise<Delivery>(() => undefined);
          }),
        ),
    }),
  },
  {
    name: 'a move of what has no key fails',
    by: 'what has no key that can be read is parked',
    says: /there is no key/,
    session: (session, { tookHold }) => ({
      park: async (delivery, mode, notes) => {
        if (delivery.key !== undefined) return session.park(delivery, mode, notes);
        tookHold();
        throw new Error('there is no key');
      },
    }),
  },
  {
    name: 'what has no key that can be read is not listed',
    by: 'what has no key that can be read is parked',
    says: /the keys of what is parked/,
    session: ({ parked }, { tookHold }) => {
      const listed = parked.filter(({ key }) => key !== undefined);
      if (listed.length < parked.length) tookHold();
      return { parked: listed };
    },
  },
  {
    name: 'a key is its spelling',
    by: 'a key is one key, however its producer spelled it',
    says: /what the canonical key reads|a read of the side queue/,
    session: (session, { shard, tookHold }) => ({
      readParked: (key) =>
        reading(session.readParked(key), async (next) => {
          const spelled = [...shard.side.messages].find((message) => Buffer.compare(message.key!, key!) === 0);
          if (spelled === undefined || spelled === shard.side.first(keyId(canonicalKey(key!)))) return next();
          tookHold();
          return spelled;
        }),
    }),
  },
];

/** A reader that reads in another way. */
function reading(reader: ParkedReader, read: (next: () => Promise<Delivery>) => Promise<Delivery>): ParkedReader {
  return { next: () => read(() => reader.next()), close: () => reader.close() };
}
