import type { BrokerParts } from '../../../src/memory/broker/broker-parts.js';
import type { MemoryMessage } from '../../../src/memory/broker/memory-message.js';
import type { ShardQueue } from '../../../src/memory/broker/shard-queue.js';
import { asMemory, later, rewrite, type Mutant } from './mutant.js';
import { replaceMethod } from '../../support/replace-method.js';

/** Settlements that do not hold, and returns in the wrong order. */
export const settlementMutants: readonly Mutant[] = [
  {
    name: 'settlements get lost',
    by: 'each settlement lets one more in',
    says: /deliveries/,
    session: (_session, { tookHold }) => ({ settle: () => tookHold() }),
  },
  {
    name: 'what was settled comes back after a crash',
    by: 'what was settled does not come back after a crash',
    says: /what comes back/,
    broker: ({ shards }, { tookHold }) => {
      for (const { queue } of shards) {
        const settled = new Set<MemoryMessage>();
        replaceMethod(queue, 'settle', (settle) => (message) => settle(message) && settled.add(message).size > 0);
        atReturn(queue, () => {
          if (settled.size > 0) tookHold();
          for (const message of settled) queue.unsettled.add(message);
        });
      }
    },
  },
  {
    name: 'settlements that wait are not sent before the session is closed',
    by: 'what was settled right before the session is closed is settled',
    says: /what comes back/,
    session: (session, { tookHold }) => {
      const waiting = new Set<unknown>();
      return {
        settle: (delivery) => {
          waiting.add(delivery);
          void later().then(() => {
            session.settle(delivery);
            waiting.delete(delivery);
          });
        },
        close: () => {
          if (waiting.size > 0) tookHold();
          return session.close();
        },
      };
    },
  },
  {
    name: 'one settlement settles all that came before',
    by: 'of a partly settled window the rest comes back in order after a crash',
    says: /deliveries|what comes back/,
    session: (session, { shard, tookHold }) => ({
      settle: (delivery) => {
        for (const message of shard.queue.unsettled) {
          session.settle(message);
          if (message === delivery) return;
          tookHold();
        }
      },
    }),
  },
  {
    name: 'a settlement waits for those before it',
    by: 'settlements out of order let the next in as well',
    says: /deliveries/,
    session: (session, { shard, tookHold }) => {
      const settled = new Set<unknown>();
      return {
        settle: (delivery) => {
          settled.add(delivery);
          for (const message of shard.queue.unsettled) {
            if (!settled.has(message)) {
              tookHold();
              return;
            }
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
    session: (session, { shard, tookHold }) => ({
      settle: (delivery) => {
        if (!session.ended) session.settle(delivery);
        else if (shard.queue.settle(asMemory(delivery))) tookHold();
      },
    }),
  },
  {
    name: 'an ended session dead-letters',
    by: 'a dead letter, a move and a read after the session was closed',
    says: /a dead letter had to be rejected/,
    session: (session, { tookHold }) => ({
      deadLetter: async (delivery, notes) => {
        if (session.ended) tookHold();
        else await session.deadLetter(delivery, notes);
      },
    }),
  },
  {
    name: 'an ended session parks',
    by: 'a dead letter, a move and a read after the session was closed',
    says: /a move had to be rejected/,
    session: (session, { tookHold }) => ({
      park: async (delivery, mode, notes) => {
        if (session.ended) tookHold();
        else await session.park(delivery, mode, notes);
      },
    }),
  },
  {
    name: 'what comes back is reversed',
    by: 'unsettled messages come back in order, marked, and ahead of newer ones after the session was closed',
    says: /the order/,
    broker: (broker, { tookHold }) =>
      atEachReturn(broker, ({ unsettled }) => {
        const messages = [...unsettled].toReversed();
        if (messages.length > 1) tookHold();
        unsettled.clear();
        for (const message of messages) unsettled.add(message);
      }),
  },
  {
    name: 'what comes back goes behind what waits',
    by: 'unsettled messages come back in order, marked, and ahead of newer ones after a crash',
    says: /the order/,
    broker: (broker, { tookHold }) =>
      atEachReturn(broker, ({ unsettled, ready }) => {
        if (unsettled.size > 0 && ready.length > 0) tookHold();
        for (const message of unsettled) ready.push(message);
        unsettled.clear();
      }),
  },
  {
    name: 'what comes back is not marked',
    by: 'unsettled messages come back in order, marked, and ahead of newer ones after the shard was lost',
    says: /must be marked as redelivered/,
    broker: ({ shards }, { tookHold }) => {
      for (const { queue } of shards) {
        replaceMethod(queue, 'returnUnsettled', (giveBack) => () => {
          giveBack();
          for (let message = queue.ready.peek(); message !== undefined; message = message.next) {
            if (message.redelivered) tookHold();
            message.redelivered = false;
          }
        });
      }
    },
  },
  {
    name: 'a partly settled window comes back sorted by chance',
    by: 'of a partly settled window the rest comes back in order after the connection was closed',
    says: /what comes back/,
    broker: (broker, { tookHold }) =>
      atEachReturn(broker, ({ unsettled }) => {
        const [first, ...others] = unsettled;
        if (others.length > 0) tookHold();
        unsettled.clear();
        for (const message of others) unsettled.add(message);
        if (first !== undefined) unsettled.add(first);
      }),
  },
  {
    name: 'unsettled messages vanish with a crash',
    by: 'unsettled messages come back in order, marked, and ahead of newer ones after a crash',
    says: /deliveries/,
    broker: (broker, { tookHold }) =>
      atEachReturn(broker, ({ unsettled }) => {
        if (unsettled.size > 0) tookHold();
        unsettled.clear();
      }),
  },
  {
    name: 'dead letters come without the notes',
    by: 'a dead letter is the message with the notes',
    says: /the header mississippi_reason of the dead letter/,
    session: (session, { tookHold }) => ({
      deadLetter: (delivery, notes) => {
        if (Object.keys(notes).length > 0) tookHold();
        return session.deadLetter(delivery, {});
      },
    }),
  },
  {
    name: 'dead letters come without the own headers',
    by: 'a dead letter is the message with the notes',
    says: /the header kind of m1/,
    session: (session, seed) => ({
      deadLetter: (delivery, notes) => session.deadLetter(rewrite(delivery, { headers: {} }, seed), notes),
    }),
  },
  {
    name: 'dead letters are confirmed before they are there',
    by: 'a dead letter is the message with the notes',
    says: /there must be one dead letter/,
    session: (session, { tookHold }) => ({
      deadLetter: async (delivery, notes) => {
        tookHold();
        void later()
          .then(() => session.deadLetter(delivery, notes))
          .catch(() => undefined);
      },
    }),
  },
  {
    name: 'a message without a key cannot be dead-lettered',
    by: 'foreign messages can be dead-lettered as they are',
    says: /no key to dead-letter/,
    session: (session, { tookHold }) => ({
      deadLetter: async (delivery, notes) => {
        if (delivery.key !== undefined) return session.deadLetter(delivery, notes);
        tookHold();
        throw new Error('no key to dead-letter');
      },
    }),
  },
  {
    name: 'dead letters are not settled',
    by: 'a dead letter leaves the window',
    says: /deliveries/,
    session: (_session, { broker, tookHold }) => ({
      deadLetter: async (delivery, notes) => {
        tookHold();
        broker.deadLetters.add(asMemory(delivery), notes);
      },
    }),
  },
  {
    name: 'dead letters are doubled',
    by: 'dead letters that do not wait for each other',
    says: /how many dead letters/,
    session: (session, { broker, tookHold }) => ({
      deadLetter: (delivery, notes) => {
        tookHold();
        broker.deadLetters.add(asMemory(delivery), notes);
        return session.deadLetter(delivery, notes);
      },
    }),
  },
  {
    name: 'a dead letter puts what came before it behind',
    by: 'a dead-lettered message does not come back, and the others keep their order, after a crash',
    says: /what comes back/,
    session: (session, { shard, tookHold }) => ({
      deadLetter: async (delivery, notes) => {
        await session.deadLetter(delivery, notes);
        const { unsettled } = shard.queue;
        const [first] = unsettled;
        if (unsettled.size > 1) tookHold();
        if (first !== undefined && unsettled.delete(first)) unsettled.add(first);
      },
    }),
  },
  {
    name: 'dead letters are settled before they are confirmed',
    by: 'an epoch that ends while dead letters and moves wait',
    says: /must not be lost/,
    session: (session, { broker, tookHold }) => ({
      deadLetter: async (delivery, notes) => {
        if (broker.admission.blocked) tookHold();
        session.settle(delivery);
        await broker.admission.taking();
        await session.deadLetter(delivery, notes);
      },
    }),
  },
  {
    name: 'a blocked broker takes dead letters',
    by: 'dead letters are not taken while the broker is blocked',
    says: /not all dead letters may be taken/,
    session: (session, { broker, tookHold }) => ({
      deadLetter: async (delivery, notes) => {
        if (broker.admission.blocked) tookHold();
        broker.deadLetters.add(asMemory(delivery), notes);
        session.settle(delivery);
      },
    }),
  },
];

/** Lets a fault act on a queue before its unsettled messages return. */
function atReturn(queue: ShardQueue, fault: () => void): void {
  replaceMethod(queue, 'returnUnsettled', (giveBack) => () => {
    fault();
    giveBack();
  });
}

function atEachReturn({ shards }: BrokerParts, fault: (queue: ShardQueue) => void): void {
  for (const { queue } of shards) atReturn(queue, () => fault(queue));
}
