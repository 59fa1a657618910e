import assert from 'node:assert/strict';
import { assertIds } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import { endings } from './endings.js';

/** What is not settled when an epoch ends goes back to its place. */
export const returnCases: readonly ConformanceCase[] = [
  ...endings.map((ending) =>
    conformanceCase(
      `unsettled messages come back in order, marked, and ahead of newer ones after ${ending.name}`,
      { prefetch: 5, needs: ending.needs },
      async (stage) => {
        const producer = await stage.producer();
        const peer = await stage.consumer();
        const waiting = stage.messages(8);
        await producer.publish(...waiting);
        const session = await peer.session(0);
        await session.received(5);
        const successor = await ending.end(stage, peer, session);
        const newer = stage.messages(4);
        await producer.publish(...newer);
        const next = await successor.session(0);
        const deliveries = await next.handle(12);
        assertIds(deliveries, [...waiting, ...newer], 'the order');
        assert.ok(
          deliveries.slice(0, 5).every((delivery) => delivery.redelivered),
          'what was delivered before must be marked as redelivered',
        );
        assert.ok(
          !deliveries.slice(8).some((delivery) => delivery.redelivered),
          'what was published later must not be marked as redelivered',
        );
      },
    ),
  ),

  ...endings.map((ending) =>
    conformanceCase(
      `of a partly settled window the rest comes back in order after ${ending.name}`,
      { prefetch: 4, needs: ending.needs },
      async (stage) => {
        const producer = await stage.producer();
        const peer = await stage.consumer();
        const messages = stage.messages(8);
        await producer.publish(...messages);
        const session = await peer.session(0);
        const window = await session.received(4);
        session.settle(window[3]!);
        session.settle(window[1]!);
        await session.received(6);
        const successor = await ending.end(stage, peer, session);
        const last = stage.message(stage.key(0));
        await producer.publish(last);
        const deliveries = await (await successor.session(0)).handleUpTo(last.messageId);
        const expected = [0, 2, 4, 5, 6, 7].map((index) => messages[index]!);
        assertIds(deliveries, [...expected, last], 'what comes back');
        assert.ok(
          deliveries.slice(0, 4).every((delivery) => delivery.redelivered),
          'what was delivered before must be marked as redelivered',
        );
      },
    ),
  ),

  conformanceCase('messages that come back again and again keep their order', { prefetch: 4 }, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(10);
    await peer.publish(...messages);
    for (let epoch = 0; epoch < 4; epoch++) {
      const session = await peer.session(0);
      assertIds(await session.received(4), messages.slice(0, 4), `the window of epoch ${epoch}`);
      await session.close();
    }
    const last = await peer.session(0);
    assertIds(await last.handle(10), messages, 'all');
  }),

  conformanceCase('the other shards go on while one comes back', {}, async (stage) => {
    const peer = await stage.consumer();
    const [other] = stage.messages(1, 1);
    await peer.publish(...stage.messages(3, 0), other!);
    const [session, undisturbed] = [await peer.session(0), await peer.session(1)];
    await session.received(3);
    const [held] = await undisturbed.received(1);
    await session.close();
    await (await peer.session(0)).received(3);
    const more = stage.messages(3, 1);
    await peer.publish(...more);
    assertIds(await undisturbed.received(4), [other!, ...more], 'the other shard');
    assert.ok(undisturbed.isOpen, 'the epoch of the other shard must last');
    undisturbed.settle(held!);
  }),
];
