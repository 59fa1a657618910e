import assert from 'node:assert/strict';
import { assertIds } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import { endings, sessionEndings } from './endings.js';

/** To settle is final, while the epoch lasts, and nothing afterwards. */
export const settlementCases: readonly ConformanceCase[] = [
  ...endings.map((ending) =>
    conformanceCase(
      `what was settled does not come back after ${ending.name}`,
      { prefetch: 4, needs: ending.needs },
      async (stage) => {
        const peer = await stage.consumer();
        const messages = stage.messages(8);
        await peer.publish(...messages);
        const session = await peer.session(0);
        for (const delivery of await session.received(4)) session.settle(delivery);
        // That the next four came says that the settlements have reached the broker.
        await session.received(8);
        const successor = await ending.end(stage, peer, session);
        const last = stage.message(stage.key(0));
        await successor.publish(last);
        const deliveries = await (await successor.session(0)).handleUpTo(last.messageId);
        assertIds(deliveries, [...messages.slice(4), last], 'what comes back');
        assert.ok(
          deliveries.slice(0, 4).every((delivery) => delivery.redelivered),
          'all of it was delivered before',
        );
      },
    ),
  ),

  conformanceCase('what was settled right before the session is closed is settled', {}, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(6);
    await peer.publish(...messages);
    const session = await peer.session(0);
    const deliveries = await session.received(6);
    for (const index of [0, 1, 2, 4]) session.settle(deliveries[index]!);
    await session.close();
    const last = stage.message(stage.key(0));
    await peer.publish(last);
    const next = await peer.session(0);
    assertIds(await next.handleUpTo(last.messageId), [messages[3]!, messages[5]!, last], 'what comes back');
  }),

  ...sessionEndings.map((ending) =>
    conformanceCase(`a settlement after ${ending.name} has no effect`, { needs: ending.needs }, async (stage) => {
      const peer = await stage.consumer();
      const messages = stage.messages(2);
      await peer.publish(...messages);
      const ended = await peer.session(0);
      const deliveries = await ended.received(2);
      await ending.end(stage, peer, ended);
      const second = await peer.session(0);
      await second.received(2);
      for (const delivery of deliveries) ended.session.settle(delivery);
      await second.close();
      const third = await peer.session(0);
      assertIds(await third.received(2), messages, 'what comes back once more');
    }),
  ),

  ...sessionEndings.map((ending) =>
    conformanceCase(
      `a dead letter, a move and a read after ${ending.name} are rejected`,
      { prefetch: 3, needs: ending.needs },
      async (stage) => {
        const peer = await stage.consumer();
        const [parked, ...messages] = stage.messages(4);
        await peer.publish(parked!, ...messages);
        const ended = await peer.session(0);
        const [first, second, third] = await ended.received(3);
        await stage.journal.settled('a move', ended.park(first!, 'held'));
        // That one more came says that the parked one is settled in the shard's queue.
        await ended.received(4);
        await ending.end(stage, peer, ended);
        const { session } = ended;
        await stage.journal.rejected(
          'a dead letter',
          refusable(() => session.deadLetter(second!, {})),
        );
        await stage.journal.rejected(
          'a move',
          refusable(() => session.park(third!, 'held', {})),
        );
        await stage.journal.rejected(
          'a read',
          refusable(() => session.readParked(parked!.key).next()),
        );
        const next = await peer.session(0);
        assert.equal(next.parked.length, 1, 'nothing more may be parked');
        assertIds(await next.handle(3), messages, 'what comes back');
        assert.equal((await stage.harness.deadLetters()).length, 0, 'nothing may be dead-lettered');
      },
    ),
  ),
];

/** A refusal may be thrown at once too. */
async function refusable(call: () => Promise<unknown>): Promise<unknown> {
  return call();
}
