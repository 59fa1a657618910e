import assert from 'node:assert/strict';
import { assertIds, idsOf } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import type { RecordedSession } from '../recorded-session.js';
import { connectionClosed, endings } from './endings.js';

/** Which connection owns a shard, and for how long. */
export const ownershipCases: readonly ConformanceCase[] = [
  conformanceCase('every shard is opened once', {}, async (stage) => {
    const peer = await stage.consumer();
    const sessions = await peer.recorder.opened(stage.totalCount);
    assert.equal(peer.connection.totalCount, stage.totalCount, 'the connection must tell its number of shards');
    for (let shard = 0; shard < stage.totalCount; shard++) await stage.roundTrips(peer, shard);
    assert.deepEqual(new Set(sessions.map((session) => session.shard)), new Set([0, 1, 2, 3]), 'the shards');
    assert.equal(peer.recorder.sessions.length, stage.totalCount, 'no shard may be opened again');
    const { connected, shards } = peer.connection.status();
    assert.deepEqual({ connected, shards }, { connected: true, shards: stage.totalCount }, 'the status');
  }),

  ...endings.map((ending) =>
    conformanceCase(
      `an epoch that has ended gets nothing after ${ending.name}`,
      { needs: ending.needs },
      async (stage) => {
        let peer = await stage.consumer();
        for (let turn = 0; turn < 3; turn++) {
          const session = await peer.session(0);
          peer = await ending.end(stage, peer, session);
          const before = session.deliveries.length;
          const [message] = stage.messages(1);
          await peer.publish(message!);
          await (await peer.session(0)).handle(1);
          assert.equal(session.deliveries.length, before, 'an epoch that has ended gets nothing');
        }
      },
    ),
  ),

  conformanceCase('two connections never own a shard at once', { prefetch: 5 }, async (stage) => {
    const [a, b] = [await stage.consumer(), await stage.consumer()];
    const producer = await stage.producer();
    for (let shard = 0; shard < stage.totalCount; shard++) {
      const messages = stage.messages(3, shard);
      await producer.publish(...messages);
      const session = await stage.owner(shard);
      await session.close();
      await stage.roundTrips(producer, (shard + 1) % stage.totalCount);
      await stage.owner(shard);
    }
    assert.ok(a.recorder.sessions.length + b.recorder.sessions.length >= stage.totalCount, 'all are owned');
  }),

  conformanceCase('a connection that is closed while it begins to consume owns nothing', {}, async (stage) => {
    const closed = await stage.open();
    const consuming = stage.journal.watch('the call of consume', closed.connection.consume(closed.recorder));
    closed.connection.stopClaiming();
    await closed.close();
    await consuming.value().catch(() => undefined); // It may reject, or say nothing.
    const peer = await stage.consumer();
    await peer.recorder.opened(stage.totalCount);
    for (let shard = 0; shard < stage.totalCount; shard++) await stage.roundTrips(peer, shard);
    assert.equal(closed.recorder.owned.length, 0, 'the shards of the connection that was closed');
  }),

  conformanceCase('a shard that is closed goes to another connection that claims', {}, async (stage) => {
    const a = await stage.consumer();
    const messages = stage.messages(4);
    await a.publish(...messages);
    const session = await a.session(0);
    await session.received(4);
    a.connection.stopClaiming();
    const b = await stage.consumer();
    if (session.isOpen) await session.close();
    const next = await b.session(0);
    const deliveries = await next.received(4);
    assertIds(deliveries, messages, 'what goes over');
    assert.ok(
      deliveries.every((delivery) => delivery.redelivered),
      'all of it was delivered before',
    );
  }),

  conformanceCase('a connection that claims no more keeps what it owns and takes nothing back', {}, async (stage) => {
    const a = await stage.consumer();
    const owned = await a.recorder.opened(stage.totalCount);
    a.connection.stopClaiming();
    for (const session of owned) {
      const messages = stage.messages(2, session.shard);
      await a.publish(...messages);
      assertIds(await session.handle(2), messages, 'what is owned goes on');
    }
    await owned[0]!.close();
    await stage.roundTrips(a, owned[1]!.shard);
    const b = await stage.consumer();
    await b.session(owned[0]!.shard);
    assert.equal(a.recorder.sessions.length, stage.totalCount, 'a connection that claims no more may open nothing');
  }),

  ...[
    { name: 'is closed', end: 'close' as const },
    { name: 'crashes', end: 'crash' as const },
  ].map(({ name, end }) =>
    conformanceCase(`all shards go to the other connection when one ${name}`, { prefetch: 4 }, async (stage) => {
      const a = await stage.consumer();
      await a.recorder.opened(stage.totalCount);
      const b = await stage.consumer();
      const producer = await stage.producer();
      const messages = Array.from({ length: stage.totalCount }, (_, shard) => stage.messages(6, shard));
      await producer.publish(...messages.flat());
      await a[end]();
      await b.recorder.opened(stage.totalCount);
      for (const [shard, expected] of messages.entries()) {
        assertIds(await (await b.session(shard)).handle(6), expected, `the messages of shard ${shard}`);
      }
    }),
  ),

  ...[
    { name: 'is closed', end: 'close' as const },
    { name: 'crashes', end: 'crash' as const },
  ].map(({ name, end }) => {
    /** What was settled while its epoch lasted, in that order; a repeat does not count again. */
    const handled = new Map<number, Set<string | undefined>>();
    let count = 0;
    const onDelivery = (session: RecordedSession): void => {
      const delivery = session.deliveries.at(-1)!;
      count++;
      setImmediate(() => {
        if (!session.isOpen) return;
        handled.get(session.shard)!.add(delivery.messageId);
        session.settle(delivery);
      });
    };
    const title = `while messages flow no message is skipped when a connection ${name}`;
    return conformanceCase(title, { prefetch: 10, onDelivery }, async (stage) => {
      count = 0;
      for (let shard = 0; shard < stage.totalCount; shard++) handled.set(shard, new Set());
      const a = await stage.consumer();
      const producer = await stage.producer();
      const messages = Array.from({ length: 800 }, (_, index) => stage.message(stage.key(index % stage.totalCount)));
      const publishing = producer.publish(...messages);
      await stage.journal.until('100 deliveries', () => count >= 100);
      const b = await stage.consumer();
      await a[end]();
      await publishing;
      await b.recorder.opened(stage.totalCount);
      for (let shard = 0; shard < stage.totalCount; shard++) {
        const last = stage.message(stage.key(shard));
        await producer.publish(last);
        const ids = handled.get(shard)!;
        await stage.journal.until(`${last.messageId} to be handled`, () => ids.has(last.messageId));
        const expected = [...messages.filter((message) => message.shard === shard), last];
        assert.deepEqual([...ids], idsOf(expected), 'the order: repeats may step back, none may be skipped');
      }
    });
  }),

  conformanceCase('a session that is open when its connection is closed is lost, once', {}, async (stage) => {
    const peer = await stage.consumer();
    const sessions = await peer.recorder.opened(stage.totalCount);
    const given = sessions.find((session) => session.shard === 0)!;
    peer.connection.stopClaiming();
    await given.close();
    await connectionClosed.end(stage, peer, given);
    for (const session of sessions) {
      if (session === given) continue;
      await session.wasLost();
      assert.ok(session.cause instanceof Error, 'lost must get an error as its cause');
      assert.equal(session.lostCount, 1, 'how often it was told');
    }
    assert.equal(given.lostCount, 0, 'a session that was closed is not lost');
  }),

  conformanceCase(
    'a shard that is lost is told once, opened again, and leaves the others alone',
    { needs: ['loseShard'] },
    async (stage) => {
      const peer = await stage.consumer();
      const before = await peer.recorder.opened(stage.totalCount);
      const lost = await peer.lose(0);
      await peer.session(0);
      await stage.roundTrips(peer, 0);
      assert.equal(lost.lostCount, 1, 'how often it was told');
      assert.ok(lost.cause instanceof Error, 'lost must get an error as its cause');
      for (const session of before)
        if (session !== lost) assert.ok(session.isOpen, `shard ${session.shard} must go on`);
      await peer.close();
      assert.equal(lost.lostCount, 1, 'how often it was told at last');
    },
  ),
];
