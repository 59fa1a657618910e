import { MemoryBroker, memory, NOTE_HEADERS } from '../../src/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { MemoryMessage } from '../../src/memory/broker/memory-message.js';
import { partsOf } from '../../src/memory/memory-broker.js';
import { shardOfEncoded } from '../../src/transport/index.js';
import { settled } from '../support/fake-clock.js';
import { limitDeadLetters } from '../support/limit-dead-letters.js';
import { RecordingHandler } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const NO_TERM = Buffer.from([0xde, 0xad, 0xbe, 0xef]);

/** A shard whose side queue holds what is given, before anybody owns it. */
async function startWith(
  parked: readonly { id: string; key: Uint8Array | undefined; mode?: 'held' | 'pressure' }[],
  { totalCount = 1, deadLetterLimit = 100, shard = 0 } = {},
) {
  const broker = new MemoryBroker({ totalCount, capacity: 1_000, deadLetterLimit: Infinity });
  limitDeadLetters(broker, deadLetterLimit);
  for (const { id, key, mode = 'pressure' } of parked) {
    const message = new MemoryMessage(key, Buffer.from(JSON.stringify(id)), {}, id, undefined);
    message.parked = { mode, notes: {} };
    partsOf(broker).shards[shard]!.side.append(message);
  }
  const handler = new RecordingHandler();
  return { broker, handler, ...(await startEngine(handler, { transport: memory({ broker }) })) };
}

const ids = (broker: MemoryBroker): unknown[] => broker.deadLetters.map(({ messageId }) => messageId);
const reasons = (broker: MemoryBroker): unknown[] =>
  broker.deadLetters.map(({ headers }) => headers[NOTE_HEADERS.reason]);

describe('what lies in a side queue and belongs to no key of the shard is dead-lettered by the next owner:', () => {
  test.each([
    ['without a key', undefined, 'key_missing'],
    ['with a key that is no term', NO_TERM, 'key_undecodable'],
    ['with an empty key', Buffer.alloc(0), 'key_undecodable'],
  ])('%s', async (_, key, reason) => {
    const { broker, handler, send, service } = await startWith([
      { id: 'a', key: encodeShardingKey('k') },
      { id: 'odd', key },
      { id: 'b', key: encodeShardingKey('k') },
    ]);
    await settled();
    expect(ids(broker)).toEqual(['odd']);
    expect(reasons(broker)).toEqual([reason]);
    expect(handler.messages('k')).toEqual(['a', 'b']);
    expect(broker.parkedCount(0)).toBe(0);
    expect(service.status()).toMatchObject({ shards: 1, parkedMessages: 0, parkedKeys: 0 });
    await send('k', 'c');
    expect(handler.messages('k')).toEqual(['a', 'b', 'c']);
  });

  test('with the key of another shard', async () => {
    const key = encodeShardingKey('k');
    const wrong = (shardOfEncoded(key, 4) + 1) % 4;
    const parked = [
      { id: '1', key },
      { id: '2', key },
    ];
    const { broker, handler } = await startWith(parked, { totalCount: 4, shard: wrong });
    await settled();
    expect(ids(broker)).toEqual(['1', '2']);
    expect(reasons(broker)).toEqual(['wrong_shard', 'wrong_shard']);
    expect(broker.parkedCount(wrong)).toBe(0);
    expect(handler.calls).toEqual([]);
  });
});

test('while such a dead letter is refused the shard goes on, and it is tried again', async () => {
  const { broker, handler, send, clock } = await startWith(
    ['1', '2', '3'].map((id) => ({ id, key: NO_TERM })),
    { deadLetterLimit: 1 },
  );
  await send('k', 'a');
  expect(handler.messages('k')).toEqual(['a']);
  expect(ids(broker)).toEqual(['1']);
  expect(broker.parkedCount(0)).toBe(2);
  broker.takeDeadLetters();
  await clock.advance(10_000);
  expect(ids(broker)).toEqual(['2']);
});

test('what could not be set aside before the shard was given back is found by the next owner', async () => {
  const { broker, engine, clock } = await startWith(
    ['1', '2'].map((id) => ({ id, key: undefined })),
    { deadLetterLimit: 1 },
  );
  await settled();
  await engine.stop();
  expect(clock.pending).toBe(0);
  expect(broker.parkedCount(0)).toBe(1);
  broker.takeDeadLetters();
  await startEngine(new RecordingHandler(), { transport: memory({ broker }) });
  await settled();
  expect(ids(broker)).toEqual(['2']);
  expect(broker.parkedCount(0)).toBe(0);
});
