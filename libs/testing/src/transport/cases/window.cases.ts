import assert from 'node:assert/strict';
import { assertIds } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';

/** No more unsettled deliveries of a shard than `prefetch`. */
export const windowCases: readonly ConformanceCase[] = [
  conformanceCase('no more than prefetch deliveries are unsettled', { prefetch: 5 }, async (stage) => {
    const peer = await stage.consumer();
    assert.equal(peer.connection.prefetch, 5, 'the connection must tell its prefetch');
    const messages = stage.messages(20);
    await peer.publish(...messages);
    const session = await peer.session(0);
    await session.received(5);
    await stage.roundTrips(peer, 1);
    assertIds(session.deliveries, messages.slice(0, 5), 'the window');
  }),

  conformanceCase('each settlement lets one more in', { prefetch: 3 }, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(6);
    await peer.publish(...messages);
    const session = await peer.session(0);
    for (let settled = 0; settled < 3; settled++) {
      const deliveries = await session.received(3 + settled);
      await stage.roundTrips(peer, 1);
      assertIds(session.deliveries, messages.slice(0, 3 + settled), `the deliveries after ${settled} settlements`);
      session.settle(deliveries[settled]!);
    }
    assertIds(await session.received(6), messages, 'all');
  }),

  conformanceCase('settlements out of order let the next in as well', { prefetch: 4 }, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(8);
    await peer.publish(...messages);
    const session = await peer.session(0);
    const window = await session.received(4);
    session.settle(window[2]!);
    session.settle(window[1]!);
    await session.received(6);
    await stage.roundTrips(peer, 1);
    assertIds(session.deliveries, messages.slice(0, 6), 'the deliveries after two settlements');
    session.settle(window[3]!);
    session.settle(window[0]!);
    assertIds(await session.received(8), messages, 'all');
  }),

  conformanceCase('with a prefetch of 1 messages come one at a time', { prefetch: 1 }, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(5);
    await peer.publish(...messages);
    const session = await peer.session(0);
    await session.received(1);
    await stage.roundTrips(peer, 1);
    assertIds(session.deliveries, messages.slice(0, 1), 'the window');
    assertIds(await session.handle(5), messages, 'all');
  }),

  conformanceCase('a dead letter leaves the window', { prefetch: 2 }, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(4);
    await peer.publish(...messages);
    const session = await peer.session(0);
    const window = await session.received(2);
    for (const delivery of window) await stage.journal.settled('a dead letter', session.deadLetter(delivery, {}));
    assertIds(await session.received(4), messages, 'all');
  }),

  conformanceCase('a parked message leaves the window', { prefetch: 2 }, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(6);
    await peer.publish(...messages);
    const session = await peer.session(0);
    for (let parked = 0; parked < 4; parked++) {
      const deliveries = await session.received(parked + 1);
      await stage.journal.settled('a move', session.park(deliveries[parked]!, 'held'));
    }
    assertIds(await session.received(6), messages, 'all');
  }),
];
