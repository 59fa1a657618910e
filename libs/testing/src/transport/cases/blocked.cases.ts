import assert from 'node:assert/strict';
import { PublishError } from '@mississippi/core';
import { assertIds, idsOf } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import type { Stage } from '../stage.js';
import type { Watched } from '../../conformance/journal.js';

/**
 * What holds while the broker takes no messages. It may take the first that a connection sends, so a case sends several
 * and asks that not all are taken.
 */
export const blockedCases: readonly ConformanceCase[] = [
  conformanceCase(
    'publishes wait while the broker is blocked, and then go through in order',
    { needs: ['block'] },
    async (stage) => {
      const producer = await stage.producer();
      const consumer = await stage.consumer();
      await stage.block(producer, 1);
      const messages = stage.messages(12);
      const publishes = messages.slice(0, 8).map((message) => {
        return stage.journal.watch(
          `the publish of ${message.messageId}`,
          producer.publisher.publish(message, Infinity),
        );
      });
      assert.ok(await stage.waits(producer, 1), 'a publish must wait as long as the broker is blocked');
      assert.ok(
        !publishes.some((publish) => publish.isSettled),
        'no publish may be taken before the broker is unblocked',
      );
      await stage.unblock();
      await producer.publish(...messages.slice(8));
      for (const publish of publishes) await publish.value();
      assertIds(await (await consumer.session(0)).handle(12), messages, 'the order of the calls');
    },
  ),

  conformanceCase(
    'a publish that waits is rejected when its connection is closed',
    { needs: ['block'] },
    async (stage) => {
      const producer = await stage.producer();
      await stage.block(producer, 1);
      const [message] = stage.messages(1);
      const publish = stage.journal.watch('the publish that waits', producer.publisher.publish(message!, Infinity));
      const closing = stage.journal.watch('the connection to close', producer.close());
      const error = await publish.error();
      assert.ok(error instanceof PublishError, `it must reject with PublishError, not ${String(error)}`);
      assert.equal(error.reason, 'closed', 'the reason');
      await stage.unblock();
      await closing.value();
    },
  ),

  conformanceCase(
    'dead letters are not taken while the broker is blocked, and none gets lost',
    { needs: ['block'] },
    async (stage) => {
      const { session, messages } = await windowOf(stage, 5);
      const deliveries = session.deliveries.slice(0, 5);
      const producer = await stage.producer();
      await stage.block(producer, 1);
      const letters = deliveries.map((delivery) =>
        stage.journal.watch('a dead letter', session.deadLetter(delivery, {})),
      );
      assert.ok(await stage.waits(producer, 1), 'a publish must wait as long as the broker is blocked');
      assert.ok(await anyOutstanding(letters), 'not all dead letters may be taken while the broker is blocked');
      await stage.unblock();
      // A transport may wait or reject; what it rejected is tried again, as the engine does.
      for (const [index, letter] of letters.entries()) {
        await letter
          .value()
          .catch(() => stage.journal.settled('a dead letter', session.deadLetter(deliveries[index]!, {})));
      }
      const found = new Set(idsOf(await stage.harness.deadLetters()));
      assert.deepEqual(
        idsOf(messages).filter((id) => !found.has(id)),
        [],
        'each message must be among the dead letters',
      );
    },
  ),

  conformanceCase(
    'moves wait while the broker is blocked, and keep their order',
    { needs: ['block'] },
    async (stage) => {
      const { session, messages, peer } = await windowOf(stage, 5);
      const producer = await stage.producer();
      await stage.block(producer, 1);
      const moves = session.deliveries.slice(0, 5).map((delivery) => {
        return stage.journal.watch('a move', session.park(delivery, 'held', { of: delivery.messageId! }));
      });
      assert.ok(await stage.waits(producer, 1), 'a publish must wait as long as the broker is blocked');
      for (const move of moves) if (move.isSettled) await move.value();
      assert.ok(!moves.every((move) => move.isSettled), 'not all moves may be taken while the broker is blocked');
      await stage.unblock();
      for (const move of moves) await move.value();
      await session.close();
      const next = await peer.session(0);
      assert.deepEqual(
        next.parked.map((entry) => entry.notes['of']),
        idsOf(messages),
        'the order of the calls',
      );
    },
  ),

  conformanceCase(
    'an epoch that ends while dead letters and moves wait loses none of them',
    { needs: ['block', 'loseShard'] },
    async (stage) => {
      const { session, messages, peer } = await windowOf(stage, 8);
      const producer = await stage.producer();
      await stage.block(producer, 1);
      const waiting = session.deliveries.slice(0, 8).map((delivery, index) => {
        const { messageId } = delivery;
        const call = index < 4 ? session.deadLetter(delivery, {}) : session.park(delivery, 'held', { of: messageId! });
        return stage.journal.watch(`the call for ${messageId}`, call);
      });
      await peer.lose(0);
      await stage.unblock();
      const taken = await Promise.all(waiting.map((call) => hasResolved(call)));
      assert.ok(!taken.every(Boolean), 'not all may be taken while the broker is blocked');
      const next = await stage.owner(0);
      const last = stage.message(stage.key(0));
      await producer.publish(last);
      // What the broker had taken without a confirm may be in both places; nothing may be in none.
      const back = await next.handleUpTo(last.messageId);
      const letters = idsOf(await stage.harness.deadLetters());
      const parked = next.parked.map((entry) => entry.notes['of']);
      const found = new Set<unknown>([...idsOf(back), ...letters, ...parked]);
      assert.deepEqual(
        idsOf(messages).filter((id) => !found.has(id)),
        [],
        'these messages must not be lost',
      );
    },
  ),
];

async function windowOf(stage: Stage, count: number) {
  const peer = await stage.consumer();
  const messages = stage.messages(count);
  await peer.publish(...messages);
  const session = await peer.session(0);
  await session.received(count);
  return { peer, session, messages };
}

/** Whether one was not taken: it waits, or was refused. */
async function anyOutstanding(calls: readonly Watched<void>[]): Promise<boolean> {
  for (const call of calls) if (!call.isSettled || !(await hasResolved(call))) return true;
  return false;
}

function hasResolved(call: Watched<void>): Promise<boolean> {
  return call.value().then(
    () => true,
    () => false,
  );
}
