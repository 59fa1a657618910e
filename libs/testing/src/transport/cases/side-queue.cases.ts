import assert from 'node:assert/strict';
import type { MessageHeaders } from '@mississippi/core';
import type { OutgoingMessage, ParkedEntry, ParkedMode } from '@mississippi/core/transport';
import { assertBytes, assertHeaders, assertIds } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import { endings, sessionClosed } from './endings.js';

/** What is parked in order, and found by the next owner. */
export const sideQueueCases: readonly ConformanceCase[] = [
  conformanceCase('a new shard has nothing parked', {}, async (stage) => {
    const peer = await stage.consumer();
    for (const session of await peer.recorder.opened(stage.totalCount)) assert.deepEqual(session.parked, []);
  }),

  ...endings.map((ending) =>
    conformanceCase(
      `the next session lists what was parked, in the order of the calls, after ${ending.name}`,
      { needs: ending.needs },
      async (stage) => {
        const peer = await stage.consumer();
        const [one, two] = [stage.key(0, 0), stage.key(0, 1)];
        const moves = [one, two, one, two, one].map((key, index): Move => ({
          message: stage.message(key),
          mode: index % 3 === 0 ? 'pressure' : 'held',
          notes: { mississippi_reason: `reason ${index}`, mississippi_attempts: index },
        }));
        await peer.publish(...moves.map((move) => move.message));
        const session = await peer.session(0);
        const deliveries = await session.received(5);
        const parking = moves.map(({ mode, notes }, index) => session.park(deliveries[index]!, mode, notes));
        for (const move of parking) await stage.journal.settled('a move', move);
        const next = await (await ending.end(stage, peer, session)).session(0);
        assertParked(next.parked, moves);
      },
    ),
  ),

  conformanceCase(
    'what several sessions parked is listed in the order of the moves',
    { prefetch: 2 },
    async (stage) => {
      const peer = await stage.consumer();
      const messages = [0, 1, 0, 1, 0, 1].map((index) => stage.message(stage.key(0, index)));
      await peer.publish(...messages);
      for (let epoch = 0; epoch < 3; epoch++) {
        const session = await peer.session(0);
        for (const delivery of await session.received(2)) {
          await stage.journal.settled('a move', session.park(delivery, 'held', { by: epoch }));
        }
        await session.close();
      }
      const last = await peer.session(0);
      const expected = messages.map((message, index) => ({ message, notes: { by: Math.floor(index / 2) } }));
      assertParked(
        last.parked,
        expected.map((entry) => ({ ...entry, mode: 'held' as const })),
      );
    },
  ),

  ...endings.map((ending) =>
    conformanceCase(
      `what was parked is not delivered, and the others keep their order, after ${ending.name}`,
      { prefetch: 4, needs: ending.needs },
      async (stage) => {
        const producer = await stage.producer();
        const peer = await stage.consumer();
        const messages = [0, 1, 0, 1, 2, 2].map((index) => stage.message(stage.key(0, index)));
        await producer.publish(...messages);
        const session = await peer.session(0);
        const window = await session.received(4);
        for (const index of [1, 3]) await stage.journal.settled('a move', session.park(window[index]!, 'held'));
        // That two more came says that the parked ones are settled in the shard's queue.
        await session.received(6);
        const successor = await ending.end(stage, peer, session);
        const last = stage.message(stage.key(0, 1));
        await producer.publish(last);
        const next = await successor.session(0);
        const expected = [...[0, 2, 4, 5].map((index) => messages[index]!), last];
        assertIds(await next.handleUpTo(last.messageId), expected, 'what comes back');
        assert.equal(next.parked.length, 2, 'what was parked stays parked');
      },
    ),
  ),

  conformanceCase('a redelivered message can be parked as well', {}, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(3);
    await peer.publish(...messages);
    const first = await peer.session(0);
    await first.received(3);
    const second = await (await sessionClosed.end(stage, peer, first)).session(0);
    for (const delivery of await second.received(3)) {
      await stage.journal.settled('a move', second.park(delivery, 'pressure'));
    }
    await second.close();
    const third = await peer.session(0);
    assertParked(
      third.parked,
      messages.map((message) => ({ message, mode: 'pressure', notes: {} })),
    );
  }),

  conformanceCase('each shard has a side queue of its own', {}, async (stage) => {
    const peer = await stage.consumer();
    const messages = [stage.message(stage.key(0)), stage.message(stage.key(1))];
    await peer.publish(...messages);
    for (const message of messages) {
      const session = await peer.session(message.shard);
      const [delivery] = await session.received(1);
      await stage.journal.settled('a move', session.park(delivery!, 'held'));
      await session.close();
    }
    for (const message of messages) {
      const next = await peer.session(message.shard);
      assertParked(next.parked, [{ message, mode: 'held', notes: {} }]);
    }
  }),
];

interface Move {
  readonly message: OutgoingMessage;
  readonly mode: ParkedMode;
  readonly notes: MessageHeaders;
}

function assertParked(parked: readonly ParkedEntry[], moves: readonly Move[]): void {
  assert.equal(parked.length, moves.length, 'how many are listed as parked');
  moves.forEach(({ message, mode, notes }, index) => {
    const what = `parked entry ${index} (${message.messageId})`;
    assertBytes(parked[index]!.key, message.key, `the key of ${what}`);
    assert.equal(parked[index]!.mode, mode, `the mode of ${what}`);
    assertHeaders(parked[index]!.notes, notes, what);
    assert.equal(parked[index]!.messageId, message.messageId, `the id of ${what}`);
    assert.equal(parked[index]!.type, message.properties?.type, `the type of ${what}`);
  });
}
