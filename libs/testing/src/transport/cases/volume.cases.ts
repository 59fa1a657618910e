import assert from 'node:assert/strict';
import { encodeTerm } from '@mississippi/terms';
import { idsOf } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import type { RecordedSession } from '../recorded-session.js';
import { ROUND_TRIPS, type Stage } from '../stage.js';

const settleAtOnce = (session: RecordedSession): void => session.settleAll();

/** Order and completeness where there is much of everything. */
export const volumeCases: readonly ConformanceCase[] = [
  conformanceCase(
    '10,000 messages arrive once each, in the order of their shard',
    { totalCount: 8, prefetch: 50, onDelivery: settleAtOnce },
    async (stage) => publishAndCompare(stage, 10_000, 100),
  ),

  conformanceCase(
    'a thousand keys arrive, each in its order',
    { totalCount: 16, prefetch: 20, onDelivery: settleAtOnce },
    async (stage) => publishAndCompare(stage, 3_000, 1_000),
  ),
];

/** Every message is settled inside the transport's own call of `deliver`, which the engine may do too. */
async function publishAndCompare(stage: Stage, count: number, keys: number): Promise<void> {
  const consumer = await stage.consumer();
  const producer = await stage.producer();
  const encoded = Array.from({ length: keys }, (_, index) => encodeTerm(index));
  const messages = Array.from({ length: count }, (_, index) => stage.message(encoded[index % keys]!));
  const sessions = await consumer.recorder.opened(stage.totalCount);
  await producer.publish(...messages);
  const ofShard = Array.from({ length: stage.totalCount }, (_, shard) =>
    messages.filter((message) => message.shard === shard),
  );
  for (const session of sessions) {
    const expected = ofShard[session.shard]!;
    const deliveries = await session.received(expected.length);
    const wrong = deliveries.findIndex((delivery, index) => delivery.messageId !== expected[index]!.messageId);
    assert.ok(
      wrong < 0,
      `message ${wrong} of shard ${session.shard} had to be ${expected[wrong]?.messageId}, not ${deliveries[wrong]?.messageId}`,
    );
  }
  for (const session of sessions) {
    await stage.roundTrips(producer, session.shard);
    const more = session.deliveries.slice(ofShard[session.shard]!.length, -ROUND_TRIPS);
    assert.deepEqual(idsOf(more), [], `more arrived in shard ${session.shard} than was published`);
  }
}
