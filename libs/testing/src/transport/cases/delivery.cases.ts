import assert from 'node:assert/strict';
import { encodeTerm } from '@mississippi/terms';
import { assertIds, idsOf } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';

/** Which messages arrive, where, and in which order. */
export const deliveryCases: readonly ConformanceCase[] = [
  conformanceCase('a message arrives in the shard of its key', { totalCount: 8 }, async (stage) => {
    const peer = await stage.consumer();
    const messages = Array.from({ length: 40 }, (_, index) => stage.message(encodeTerm(`user_${index}`)));
    await peer.publish(...messages);
    for (let shard = 0; shard < stage.totalCount; shard++) {
      const expected = messages.filter((message) => message.shard === shard);
      const session = await peer.session(shard);
      assertIds(await session.handle(expected.length), expected, `the messages of shard ${shard}`);
    }
  }),

  conformanceCase('the messages of a shard arrive in the order of the publish calls', {}, async (stage) => {
    const peer = await stage.consumer();
    const messages = Array.from({ length: 200 }, (_, index) => stage.message(stage.key(0, index % 3)));
    const session = await peer.session(0);
    await Promise.all([peer.publish(...messages), session.handle(messages.length)]);
    assertIds(session.deliveries, messages, 'the order of publish calls that did not wait for each other');
  }),

  conformanceCase('the calls of each of several producers keep their order', {}, async (stage) => {
    const consumer = await stage.consumer();
    const producers = await Promise.all([stage.producer(), stage.producer()]);
    const own = producers.map(() => stage.messages(50));
    const session = await consumer.session(0);
    const published = producers.map((producer, index) => producer.publish(...own[index]!));
    await Promise.all([...published, session.handle(100)]);
    for (const messages of own) {
      const ids = new Set(idsOf(messages));
      const seen = session.deliveries.filter((delivery) => ids.has(delivery.messageId));
      assertIds(seen, messages, 'the order of one producer');
    }
  }),

  conformanceCase('messages that are published before there is a consumer wait for it', {}, async (stage) => {
    const producer = await stage.producer();
    const messages = stage.messages(8);
    await producer.publish(...messages);
    const consumer = await stage.consumer();
    const session = await consumer.session(0);
    assertIds(await session.handle(messages.length), messages, 'what waited');
  }),

  conformanceCase('a first delivery is not marked as redelivered', {}, async (stage) => {
    const peer = await stage.consumer();
    await peer.publish(...stage.messages(30));
    const session = await peer.session(0);
    const deliveries = await session.handle(30);
    assert.ok(!deliveries.some((delivery) => delivery.redelivered), 'a first delivery must not be marked');
  }),

  conformanceCase('a shard whose window is full does not hold up another', { prefetch: 3 }, async (stage) => {
    const peer = await stage.consumer();
    await peer.publish(...stage.messages(10, 0));
    const full = await peer.session(0);
    await full.received(3);
    const messages = stage.messages(20, 1);
    await peer.publish(...messages);
    const other = await peer.session(1);
    assertIds(await other.handle(20), messages, 'the messages of the other shard');
  }),
];
