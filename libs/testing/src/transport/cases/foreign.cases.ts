import assert from 'node:assert/strict';
import { assertBytes, assertHeaders, assertIds, assertProperties } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';

const NO_TERM = Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 0x00, 0x80);

/** What other producers may write into the queues. */
export const foreignCases: readonly ConformanceCase[] = [
  conformanceCase(
    'a message without a key, an id and a timestamp is delivered in its place',
    { needs: ['injectRaw'] },
    async (stage) => {
      const peer = await stage.consumer();
      const [first, last] = stage.messages(2);
      const body = Buffer.from('who am I?');
      await peer.publish(first!);
      const properties = { type: 'question', replyTo: 'answers' };
      await stage.inject(0, { body, headers: { from: 'elsewhere' }, properties });
      await peer.publish(last!);
      const session = await peer.session(0);
      const deliveries = await session.handle(3);
      assertIds(deliveries, [first!, { messageId: undefined }, last!], 'the order');
      const { key, timestamp, body: arrived, headers, properties: said } = deliveries[1]!;
      assert.equal(key, undefined, 'a message without a key has none');
      assert.equal(timestamp, undefined, 'a message without a timestamp has none');
      assertBytes(arrived, body, 'the body');
      assertHeaders(headers, { from: 'elsewhere' }, 'the foreign message');
      assertProperties(said, properties, 'the foreign message');
    },
  ),

  conformanceCase(
    'a message whose key is no term is delivered with the bytes that it has',
    { needs: ['injectRaw'] },
    async (stage) => {
      const peer = await stage.consumer();
      await stage.inject(0, { key: NO_TERM, body: Buffer.from('odd'), messageId: 'odd' });
      await stage.inject(0, { key: new Uint8Array(0), body: Buffer.from('empty'), messageId: 'empty' });
      const [last] = stage.messages(1);
      await peer.publish(last!);
      const deliveries = await (await peer.session(0)).handle(3);
      assertIds(deliveries, [{ messageId: 'odd' }, { messageId: 'empty' }, last!], 'the order');
      assertBytes(deliveries[0]!.key, NO_TERM, 'the key');
      assert.ok(!deliveries[1]!.key?.length, 'an empty key must stay empty, or be none');
    },
  ),

  conformanceCase('foreign messages can be dead-lettered as they are', { needs: ['injectRaw'] }, async (stage) => {
    const peer = await stage.consumer();
    await stage.inject(0, { body: Buffer.from('keyless') });
    await stage.inject(0, { key: NO_TERM, body: Buffer.from('odd'), messageId: 'odd', headers: { own: 1 } });
    const session = await peer.session(0);
    for (const delivery of await session.received(2)) {
      const notes = { mississippi_reason: 'key_undecodable' };
      await stage.journal.settled('a dead letter', session.deadLetter(delivery, notes));
    }
    const [keyless, odd] = await stage.harness.deadLetters();
    assert.ok(keyless !== undefined && odd !== undefined, 'both must be among the dead letters');
    assert.equal(keyless.key, undefined, 'a message without a key has none');
    assert.equal(keyless.messageId, undefined, 'a message without an id has none');
    assertBytes(keyless.body, Buffer.from('keyless'), 'the body');
    assertBytes(odd.key, NO_TERM, 'the key');
    assertHeaders(odd.headers, { own: 1, mississippi_reason: 'key_undecodable' }, 'the dead letter');
  }),
];
