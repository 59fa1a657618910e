import type { Delivery } from '@mississippi/core/transport';
import type { MemoryMessage } from '../../../src/memory/memory-message.js';
import { asMemory, inside, later, type Mutant } from './mutant.js';

const LISTED = 'the next session lists what was parked, in the order of the calls, after ';
const ENDED = 'a dead letter, a move and a read after the session was closed';

/** Moves that get lost or out of order, and readers that read wrongly. */
export const sideQueueMutants: readonly Mutant[] = [
  {
    name: 'a move is settled before it is appended',
    by: 'an epoch that ends while dead letters and moves wait',
    says: /must not be lost/,
    session: (session, { broker }) => ({
      park: async (delivery, mode, notes) => {
        session.settle(delivery);
        await broker.taking();
        await session.park(delivery, mode, notes);
      },
    }),
  },
  {
    name: 'moves overtake each other',
    by: `${LISTED}the session was closed`,
    says: /the key of parked entry 0|the mode of parked entry 0/,
    session: (session) => {
      let calls = 0;
      return {
        park: async (delivery, mode, notes) => {
          if (calls++ === 0) await later();
          return session.park(delivery, mode, notes);
        },
      };
    },
  },
  {
    name: 'what is parked is listed by key',
    by: `${LISTED}the session was closed`,
    says: /the key of parked entry/,
    session: (session) => ({
      parked: [...session.parked].sort((a, b) => Buffer.compare(a.key, b.key)),
    }),
  },
  {
    name: 'later moves go ahead of earlier ones',
    by: 'what several sessions parked is listed in the order of the moves',
    says: /the key of parked entry 0/,
    broker: (_broker, shards) => {
      for (const shard of shards) {
        const park = shard.park.bind(shard);
        shard.park = (message) => {
          const earlier = [...inside(shard).side];
          park(message);
          for (const each of earlier) if (inside(shard).side.delete(each)) inside(shard).side.add(each);
        };
      }
    },
  },
  {
    name: 'all shards share one side queue',
    by: 'each shard has a side queue of its own',
    says: /how many are listed as parked/,
    broker: (_broker, shards) => {
      for (const shard of shards) shard.parked = () => shards.flatMap((each) => [...inside(each).side]);
    },
  },
  {
    name: 'a redelivered message cannot be parked',
    by: 'a redelivered message can be parked as well',
    says: /parked once only/,
    session: (session) => ({
      park: (delivery, mode, notes) => {
        if (delivery.redelivered) return Promise.reject(new Error('parked once only'));
        return session.park(delivery, mode, notes);
      },
    }),
  },
  {
    name: 'the mode gets lost',
    by: `${LISTED}the session was closed`,
    says: /the mode of parked entry/,
    session: (session) => ({ park: (delivery, _mode, notes) => session.park(delivery, 'held', notes) }),
  },
  {
    name: 'the notes get lost',
    by: `${LISTED}the session was closed`,
    says: /the header mississippi_reason of parked entry/,
    session: (session) => ({ park: (delivery, mode) => session.park(delivery, mode, {}) }),
  },
  {
    name: 'the side queue is not read before the session is opened',
    by: `${LISTED}the shard was lost`,
    says: /how many are listed as parked/,
    session: () => ({ parked: [] }),
  },
  {
    name: 'the side queue dies with its owner',
    by: `${LISTED}a crash`,
    says: /how many are listed as parked/,
    broker: (_broker, shards) => {
      for (const shard of shards) {
        const give = shard.returnUnsettled.bind(shard);
        shard.returnUnsettled = () => {
          inside(shard).side.clear();
          inside(shard).sideOfKey.clear();
          give();
        };
      }
    },
  },
  {
    name: 'a parked message stays in the window',
    by: 'a parked message leaves the window',
    says: /deliveries/,
    session: (session, { shard }) => ({
      park: (delivery, mode, notes) => {
        const moved = session.park(delivery, mode, notes);
        return moved.then(() => void inside(shard).unsettled.add(asMemory(delivery)));
      },
    }),
  },
  {
    name: 'a parked message goes to the tail of the shard as well',
    by: 'what was parked is not delivered, and the others keep their order, after the session was closed',
    says: /what comes back|twice/,
    session: (session, { shard }) => ({
      park: async (delivery, mode, notes) => {
        await session.park(delivery, mode, notes);
        const { key, body, headers, messageId, timestamp } = delivery;
        shard.append(
          Object.assign(Object.create(asMemory(delivery)) as MemoryMessage, {
            next: undefined,
            parked: undefined,
            key,
            body,
            headers,
            messageId,
            timestamp,
          }),
        );
      },
    }),
  },
  {
    name: 'a blocked broker makes moves fail',
    by: 'moves wait while the broker is blocked',
    says: /blocked, so not parked/,
    session: (session, { broker }) => ({
      park: async (delivery, mode, notes) => {
        if (broker.blocked) throw new Error('blocked, so not parked');
        return session.park(delivery, mode, notes);
      },
    }),
  },
  {
    name: 'a reader goes on without a settlement',
    by: 'a reader gives a key’s parked messages in order',
    says: /the first message that is not settled/,
    session: (_session, { shard }) => ({
      readParked: () => {
        const messages = inside(shard).side.values();
        return { next: () => Promise.resolve(messages.next().value as Delivery), close: () => undefined };
      },
    }),
  },
  {
    name: 'to read is to settle',
    by: 'what was read and not settled is parked still, in order, after a crash',
    says: /what the next owner finds/,
    session: (session) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        const next = async (): Promise<Delivery> => {
          const delivery = await reader.next();
          session.settle(delivery);
          return delivery;
        };
        return { next, close: () => reader.close() };
      },
    }),
  },
  {
    name: 'a reader with nothing to read fails',
    by: 'a reader waits while its key has nothing parked',
    says: /there is nothing to read yet/,
    session: (session, { shard }) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        const isEmpty = (): boolean =>
          ![...inside(shard).side].some((message) => Buffer.compare(message.key!, key) === 0);
        return {
          next: () => (isEmpty() ? Promise.reject(new Error('empty')) : reader.next()),
          close: () => reader.close(),
        };
      },
    }),
  },
  {
    name: 'a waiting reader is not woken',
    by: 'a reader waits while its key has nothing parked',
    says: /for a waiting read/,
    session: (session) => ({
      park: async (delivery, mode, notes) => {
        const readers = (session as unknown as { readers: Set<object> }).readers;
        const kept = [...readers];
        readers.clear();
        await session.park(delivery, mode, notes);
        for (const reader of kept) readers.add(reader);
      },
    }),
  },
  {
    name: 'a reader reads other keys too',
    by: 'readers of different keys do not disturb each other',
    says: /the next message of the key/,
    session: (session, { shard }) => ({
      readParked: (key) => {
        const [first] = inside(shard).sideOfKey.values();
        const [message] = first ?? [];
        return session.readParked(message?.key ?? key);
      },
    }),
  },
  {
    name: 'a parked message that was settled comes back',
    by: 'a parked message that is settled is gone for good',
    says: /what is left/,
    session: (session, { shard }) => ({
      settle: (delivery) => {
        session.settle(delivery);
        if (asMemory(delivery).parked !== undefined) inside(shard).side.add(asMemory(delivery));
      },
    }),
  },
  {
    name: 'to close a reader removes what it read',
    by: 'to close a reader leaves the messages where they were',
    says: /a read of the side queue/,
    session: (session) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        let last: Delivery | undefined;
        return {
          next: async () => (last = await reader.next()),
          close: () => {
            if (last !== undefined) session.settle(last);
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
    session: (session) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        const next = async (): Promise<Delivery> => {
          const delivery = await reader.next();
          session.settle(delivery);
          return delivery;
        };
        return { next, close: () => void next().catch(() => undefined) };
      },
    }),
  },
  {
    name: 'what an earlier owner read is not marked',
    by: 'what was read and not settled is parked still, in order, after the session was closed',
    says: /must be marked as redelivered/,
    session: (session) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        const next = async (): Promise<Delivery> => Object.assign(await reader.next(), { redelivered: false });
        return { next, close: () => reader.close() };
      },
    }),
  },
  {
    name: 'parked messages are read without their headers',
    by: 'a parked message is read as it was published',
    says: /the header kind of m1/,
    session: (session) => ({
      park: (delivery, mode, notes) => session.park(Object.assign(delivery, { headers: notes }), mode, notes),
    }),
  },
  {
    name: 'a dead-lettered message stays parked',
    by: 'a parked message can be dead-lettered',
    says: /the next message/,
    session: (session, { broker }) => ({
      deadLetter: async (delivery, notes) => {
        if (asMemory(delivery).parked === undefined) return session.deadLetter(delivery, notes);
        return broker.addDeadLetter(asMemory(delivery), notes);
      },
    }),
  },
  {
    name: 'an ended session reads on',
    by: ENDED,
    says: /a read had to be rejected/,
    session: (_session, { shard }) => ({
      readParked: () => ({
        next: () => Promise.resolve([...inside(shard).side][0] as Delivery),
        close: () => undefined,
      }),
    }),
  },
  {
    name: 'a waiting read is forgotten when the session ends',
    by: 'a waiting read is rejected after the session was closed',
    says: /a waiting read to be rejected; meanwhile/,
    session: (session) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        const never = new Promise<Delivery>(() => undefined);
        return { next: () => reader.next().catch(() => never), close: () => reader.close() };
      },
    }),
  },
  {
    name: 'a key is its spelling',
    by: 'a key is one key, however its producer spelled it',
    says: /what the canonical key reads|a read of the side queue/,
    session: (session, { shard }) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        const next = async (): Promise<Delivery> => {
          const spelled = [...inside(shard).side].find((message) => Buffer.compare(message.key!, key) === 0);
          return spelled ?? reader.next();
        };
        return { next, close: () => reader.close() };
      },
    }),
  },
];
