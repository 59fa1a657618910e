import assert from 'node:assert/strict';
import { PublishError } from '@mississippi/core';
import { assertIds } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';

/** What a producer may rely on while the broker takes messages. */
export const publishingCases: readonly ConformanceCase[] = [
  conformanceCase('a connection that only publishes owns nothing', {}, async (stage) => {
    const producer = await stage.producer();
    assert.equal(producer.connection.totalCount, stage.totalCount, 'the connection must tell its number of shards');
    await producer.publish(...stage.messages(3));
    const { connected, shards } = producer.connection.status();
    assert.deepEqual({ connected, shards }, { connected: true, shards: 0 }, 'the status');
    const consumer = await stage.consumer();
    await consumer.recorder.opened(stage.totalCount);
  }),

  conformanceCase('a connection tells whether messages outlive the process', {}, async (stage) => {
    for (const { connection } of [await stage.producer(), await stage.consumer()]) {
      assert.equal(connection.durable, stage.harness.durable, 'whether messages are durable');
    }
  }),

  conformanceCase('what was published before a crash of the producer arrives', {}, async (stage) => {
    const producer = await stage.producer();
    const messages = stage.messages(5);
    await producer.publish(...messages);
    await producer.crash();
    const session = await (await stage.consumer()).session(0);
    assertIds(await session.handle(5), messages, 'what arrives');
  }),

  conformanceCase('a consumer publishes as well, to its own shards and to others', {}, async (stage) => {
    const peer = await stage.consumer();
    for (let shard = 0; shard < stage.totalCount; shard++) {
      const messages = stage.messages(3, shard);
      await peer.publish(...messages);
      assertIds(await (await peer.session(shard)).handle(3), messages, `the messages of shard ${shard}`);
    }
  }),

  conformanceCase('a publish with a short time-out is no less ordered', {}, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(20);
    const publishes = messages.map((message, index) => {
      const timeout = index % 2 === 0 ? Infinity : stage.harness.within;
      return stage.journal.settled(`the publish of ${message.messageId}`, peer.publisher.publish(message, timeout));
    });
    await Promise.all(publishes);
    assertIds(await (await peer.session(0)).handle(20), messages, 'the order of the calls');
  }),

  conformanceCase('a publish after the connection was closed is rejected', {}, async (stage) => {
    for (const peer of [await stage.producer(), await stage.consumer()]) {
      await peer.close();
      const [message] = stage.messages(1);
      const error = await stage.journal.rejected('a publish', peer.publisher.publish(message!, Infinity));
      assert.ok(error instanceof PublishError, `it must reject with PublishError, not ${String(error)}`);
      assert.equal(error.reason, 'closed', 'the reason');
    }
  }),

  conformanceCase('the other connections go on when one is closed', {}, async (stage) => {
    const [closed, producer] = [await stage.producer(), await stage.producer()];
    const consumer = await stage.consumer();
    const messages = stage.messages(4);
    await closed.publish(...messages.slice(0, 2));
    await closed.close();
    await producer.publish(...messages.slice(2));
    assertIds(await (await consumer.session(0)).handle(4), messages, 'what arrives');
  }),
];
