import type { Delivery } from '@mississippi/core/transport';
import { asMemory, soonAfter, STRAY, type Mutant } from './mutant.js';

const SILENT = 'an epoch that has ended gets nothing after the session was given up';
const RETURNED =
  'unsettled messages come back in order, marked, and ahead of newer ones after the session was given up';

/** Sessions that are given up, but not quite. */
export const givingUpMutants: readonly Mutant[] = [
  {
    name: 'to give up is to settle',
    by: RETURNED,
    says: /deliveries/,
    session: (session, { shard, tookHold }) => ({
      giveUp: (cause) => {
        for (const message of shard.queue.unsettled) {
          tookHold();
          session.settle(message);
        }
        session.giveUp(cause);
      },
    }),
  },
  {
    name: 'what was given up comes back reversed',
    by: RETURNED,
    says: /the order/,
    session: (session, { shard: { queue }, tookHold }) => ({
      giveUp: (cause) => {
        const messages = [...queue.unsettled].toReversed();
        if (messages.length > 1) tookHold();
        queue.unsettled.clear();
        for (const message of messages) queue.unsettled.add(message);
        session.giveUp(cause);
      },
    }),
  },
  {
    name: 'what was given up is not marked',
    by: RETURNED,
    says: /must be marked as redelivered/,
    session: (session, { shard: { queue }, tookHold }) => ({
      giveUp: (cause) => {
        const messages = [...queue.unsettled];
        session.giveUp(cause);
        for (const message of messages) {
          tookHold();
          message.redelivered = false;
        }
      },
    }),
  },
  {
    name: 'to give up is left undone',
    by: SILENT,
    says: /after it was given up/,
    session: (_session, { tookHold }) => ({ giveUp: tookHold }),
  },
  {
    name: 'a session that was given up is lost as well',
    by: SILENT,
    says: /was lost after it was given up/,
    session: (session, { receiver, tookHold }) => ({
      giveUp: (cause) => {
        session.giveUp(cause);
        tookHold();
        receiver().lost(cause);
      },
    }),
  },
  {
    name: 'a session that was given up goes on',
    by: SILENT,
    says: /got stray after it was given up/,
    session: (session, { receiver, tookHold }) => ({
      giveUp: (cause) => {
        session.giveUp(cause);
        void soonAfter().then(() => {
          tookHold();
          receiver().deliver(STRAY);
        });
      },
    }),
  },
  {
    name: 'a shard that was given up is not for the same connection',
    by: SILENT,
    says: /to open shard 0/,
    session: (session, { broker, tookHold }) => ({
      giveUp: (cause) => {
        tookHold();
        broker.ownership.leave(session.member);
        session.giveUp(cause);
      },
    }),
  },
  {
    name: 'a session that was given up settles',
    by: 'a settlement after the session was given up has no effect',
    says: /deliveries/,
    session: (session, { shard, tookHold }) => ({
      settle: (delivery) => {
        if (!session.ended) session.settle(delivery);
        else if (shard.queue.settle(asMemory(delivery))) tookHold();
      },
    }),
  },
  {
    name: 'a session that was given up parks',
    by: 'a dead letter, a move and a read after the session was given up',
    says: /a move had to be rejected/,
    session: (session, { tookHold }) => ({
      park: async (delivery, mode, notes) => {
        if (session.ended) tookHold();
        else await session.park(delivery, mode, notes);
      },
    }),
  },
  {
    name: 'the side queue is given up too',
    by: 'the next session lists what was parked, in the order of the calls, after the session was given up',
    says: /how many are listed as parked/,
    session: (session, { shard: { side }, tookHold }) => ({
      giveUp: (cause) => {
        for (const message of side.messages) {
          tookHold();
          side.settle(message);
        }
        session.giveUp(cause);
      },
    }),
  },
  {
    name: 'a waiting read is forgotten when the session is given up',
    by: 'a waiting read is rejected after the session was given up',
    says: /a waiting read to be rejected; meanwhile/,
    session: (session, { tookHold }) => ({
      readParked: (key) => {
        const reader = session.readParked(key);
        const next = (): Promise<Delivery> =>
          reader.next().catch(() => {
            tookHold();
            return new Promise<Delivery>(() => undefined);
          });
        return { next, close: () => reader.close() };
      },
    }),
  },
];
