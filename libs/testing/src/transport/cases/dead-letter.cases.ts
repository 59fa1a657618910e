import assert from 'node:assert/strict';
import { assertHeaders, assertIds, assertSameMessage, idsOf } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import { endings } from './endings.js';

const NOTES = { mississippi_reason: 'discarded', mississippi_attempts: 3, mississippi_error: 'größer' };

/** What a handler refuses for good is kept, whole, apart from the rest. */
export const deadLetterCases: readonly ConformanceCase[] = [
  conformanceCase('a dead letter is the message with the notes, there when the promise resolves', {}, async (stage) => {
    const peer = await stage.consumer();
    const message = stage.message(stage.key(0), {
      body: Uint8Array.of(0, 0xff, 0x83),
      headers: { kind: 'reading', bytes: Uint8Array.of(0x80, 0), nested: { list: [1, true] } },
      properties: { type: 'reading', contentType: 'text/plain', correlationId: 'größer', appId: 'meters' },
    });
    await peer.publish(message);
    const session = await peer.session(0);
    const [delivery] = await session.received(1);
    await stage.journal.settled('a dead letter', session.deadLetter(delivery!, NOTES));
    const letters = await stage.harness.deadLetters();
    assert.equal(letters.length, 1, 'there must be one dead letter');
    assertSameMessage(letters[0]!, message);
    assertHeaders(letters[0]!.headers, NOTES, 'the dead letter');
  }),

  conformanceCase('dead letters that do not wait for each other are all kept, each once', {}, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(8);
    await peer.publish(...messages);
    const session = await peer.session(0);
    const deliveries = await session.received(8);
    const letters = deliveries.map((delivery) => session.deadLetter(delivery, NOTES));
    for (const letter of letters) await stage.journal.settled('a dead letter', letter);
    // Their order is not promised: a key waits for its own, and keys have none among each other.
    const found = idsOf(await stage.harness.deadLetters());
    assert.equal(found.length, messages.length, 'how many dead letters there are');
    assert.deepEqual(new Set(found), new Set(idsOf(messages)), 'the dead letters');
  }),

  ...endings.map((ending) =>
    conformanceCase(
      `a dead-lettered message does not come back, and the others keep their order, after ${ending.name}`,
      { prefetch: 5, needs: ending.needs },
      async (stage) => {
        const peer = await stage.consumer();
        const messages = stage.messages(8);
        await peer.publish(...messages);
        const session = await peer.session(0);
        const window = await session.received(5);
        for (const index of [3, 1])
          await stage.journal.settled('a dead letter', session.deadLetter(window[index]!, NOTES));
        // That two more came says that the dead-lettered ones are settled in the broker.
        await session.received(7);
        const successor = await ending.end(stage, peer, session);
        const last = stage.message(stage.key(0));
        await successor.publish(last);
        const deliveries = await (await successor.session(0)).handleUpTo(last.messageId);
        const expected = [0, 2, 4, 5, 6, 7].map((index) => messages[index]!);
        assertIds(deliveries, [...expected, last], 'what comes back');
        const letters = await stage.harness.deadLetters();
        assertIds(letters, [messages[3]!, messages[1]!], 'the dead letters');
      },
    ),
  ),
];
