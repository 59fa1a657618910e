import type { MemoryMessage } from '../../../src/memory/memory-message.js';
import type { MemoryShard } from '../../../src/memory/memory-shard.js';
import { asMemory, inside, later, type Mutant } from './mutant.js';

/** Settlements that do not hold, and returns in the wrong order. */
export const settlementMutants: readonly Mutant[] = [
  {
    name: 'settlements get lost',
    by: 'each settlement lets one more in',
    says: /deliveries/,
    session: () => ({ settle: () => undefined }),
  },
  {
    name: 'what was settled comes back after a crash',
    by: 'what was settled does not come back after a crash',
    says: /what comes back/,
    broker: (_broker, shards) => {
      for (const shard of shards) {
        const [settle, settled] = [shard.settle.bind(shard), new Set<MemoryMessage>()];
        shard.settle = (message) => settle(message) && settled.add(message).size > 0;
        atReturn(shard, ({ unsettled }) => {
          for (const message of settled) unsettled.add(message);
        });
      }
    },
  },
  {
    name: 'settlements that wait are not sent before the session is closed',
    by: 'what was settled right before the session is closed is settled',
    says: /what comes back/,
    session: (session) => ({ settle: (delivery) => void later().then(() => session.settle(delivery)) }),
  },
  {
    name: 'one settlement settles all that came before',
    by: 'of a partly settled window the rest comes back in order after a crash',
    says: /deliveries|what comes back/,
    session: (session, { shard }) => ({
      settle: (delivery) => {
        for (const message of inside(shard).unsettled) {
          session.settle(message);
          if (message === delivery) return;
        }
      },
    }),
  },
  {
    name: 'a settlement waits for those before it',
    by: 'settlements out of order let the next in as well',
    says: /deliveries/,
    session: (session, { shard }) => {
      const settled = new Set<unknown>();
      return {
        settle: (delivery) => {
          settled.add(delivery);
          for (const message of inside(shard).unsettled) {
            if (!settled.has(message)) return;
            session.settle(message);
          }
        },
      };
    },
  },
  {
    name: 'an ended session settles',
    by: 'a settlement after the session was closed has no effect',
    says: /deliveries/,
    session: (_session, { shard }) => ({ settle: (delivery) => void shard.settle(asMemory(delivery)) }),
  },
  {
    name: 'an ended session dead-letters',
    by: 'a dead letter, a move and a read after the session was closed',
    says: /a dead letter had to be rejected/,
    session: () => ({ deadLetter: () => Promise.resolve() }),
  },
  {
    name: 'an ended session parks',
    by: 'a dead letter, a move and a read after the session was closed',
    says: /a move had to be rejected/,
    session: (session, { shard }) => ({
      park: async (delivery, mode, notes) => {
        if (shard.owner === undefined || shard.owner === session) await session.park(delivery, mode, notes);
      },
    }),
  },
  {
    name: 'what comes back is reversed',
    by: 'unsettled messages come back in order, marked, and ahead of newer ones after the session was closed',
    says: /the order/,
    broker: (_broker, shards) => {
      for (const shard of shards) {
        atReturn(shard, ({ unsettled }) => {
          const messages = [...unsettled].toReversed();
          unsettled.clear();
          for (const message of messages) unsettled.add(message);
        });
      }
    },
  },
  {
    name: 'what comes back goes behind what waits',
    by: 'unsettled messages come back in order, marked, and ahead of newer ones after a crash',
    says: /the order/,
    broker: (_broker, shards) => {
      for (const shard of shards) {
        atReturn(shard, ({ unsettled, ready }) => {
          for (const message of unsettled) ready.push(message);
          unsettled.clear();
        });
      }
    },
  },
  {
    name: 'what comes back is not marked',
    by: 'unsettled messages come back in order, marked, and ahead of newer ones after the shard was lost',
    says: /must be marked as redelivered/,
    broker: (_broker, shards) => {
      for (const shard of shards) {
        const give = shard.returnUnsettled.bind(shard);
        shard.returnUnsettled = () => {
          give();
          for (let message = inside(shard).ready.peek(); message !== undefined; message = message.next) {
            message.redelivered = false;
          }
        };
      }
    },
  },
  {
    name: 'a partly settled window comes back sorted by chance',
    by: 'of a partly settled window the rest comes back in order after the connection was closed',
    says: /what comes back/,
    broker: (_broker, shards) => {
      for (const shard of shards) {
        atReturn(shard, ({ unsettled }) => {
          const [first, ...others] = unsettled;
          unsettled.clear();
          for (const message of others) unsettled.add(message);
          if (first !== undefined) unsettled.add(first);
        });
      }
    },
  },
  {
    name: 'unsettled messages vanish with a crash',
    by: 'unsettled messages come back in order, marked, and ahead of newer ones after a crash',
    says: /deliveries/,
    broker: (_broker, shards) => {
      for (const shard of shards) atReturn(shard, ({ unsettled }) => unsettled.clear());
    },
  },
  {
    name: 'dead letters come without the notes',
    by: 'a dead letter is the message with the notes',
    says: /the header mississippi_reason of the dead letter/,
    session: (session) => ({ deadLetter: (delivery) => session.deadLetter(delivery, {}) }),
  },
  {
    name: 'dead letters come without the own headers',
    by: 'a dead letter is the message with the notes',
    says: /the header kind of m1/,
    session: (session) => ({
      deadLetter: (delivery, notes) => session.deadLetter(Object.assign(delivery, { headers: {} }), notes),
    }),
  },
  {
    name: 'dead letters are confirmed before they are there',
    by: 'a dead letter is the message with the notes',
    says: /there must be one dead letter/,
    session: (session) => ({
      deadLetter: async (delivery, notes) =>
        void later()
          .then(() => session.deadLetter(delivery, notes))
          .catch(() => undefined),
    }),
  },
  {
    name: 'a message without a key cannot be dead-lettered',
    by: 'foreign messages can be dead-lettered as they are',
    says: /no key to dead-letter/,
    session: (session) => ({
      deadLetter: (delivery, notes) => {
        if (delivery.key === undefined) return Promise.reject(new Error('no key to dead-letter'));
        return session.deadLetter(delivery, notes);
      },
    }),
  },
  {
    name: 'dead letters are not settled',
    by: 'a dead letter leaves the window',
    says: /deliveries/,
    session: (_session, { broker }) => ({
      deadLetter: async (delivery, notes) => broker.addDeadLetter(asMemory(delivery), notes),
    }),
  },
  {
    name: 'dead letters are doubled',
    by: 'dead letters that do not wait for each other',
    says: /how many dead letters/,
    session: (session, { broker }) => ({
      deadLetter: (delivery, notes) => {
        broker.addDeadLetter(asMemory(delivery), notes);
        return session.deadLetter(delivery, notes);
      },
    }),
  },
  {
    name: 'a dead letter puts what came before it behind',
    by: 'a dead-lettered message does not come back, and the others keep their order, after a crash',
    says: /what comes back/,
    session: (session, { shard }) => ({
      deadLetter: async (delivery, notes) => {
        await session.deadLetter(delivery, notes);
        const { unsettled } = inside(shard);
        const [first] = unsettled;
        if (first !== undefined && unsettled.delete(first)) unsettled.add(first);
      },
    }),
  },
  {
    name: 'dead letters are settled before they are confirmed',
    by: 'an epoch that ends while dead letters and moves wait',
    says: /must not be lost/,
    session: (session, { broker }) => ({
      deadLetter: async (delivery, notes) => {
        session.settle(delivery);
        await broker.taking();
        await session.deadLetter(delivery, notes);
      },
    }),
  },
  {
    name: 'a blocked broker takes dead letters',
    by: 'dead letters are not taken while the broker is blocked',
    says: /not all dead letters may be taken/,
    session: (session, { broker }) => ({
      deadLetter: async (delivery, notes) => {
        broker.addDeadLetter(asMemory(delivery), notes);
        session.settle(delivery);
      },
    }),
  },
];

/** Lets a defect act on a shard before its unsettled messages return. */
function atReturn(shard: MemoryShard, defect: (parts: ReturnType<typeof inside>) => void): void {
  const give = shard.returnUnsettled.bind(shard);
  shard.returnUnsettled = () => {
    defect(inside(shard));
    give();
  };
}
