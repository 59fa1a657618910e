import assert from 'node:assert/strict';
import type { OutboxMessage, OutboxPosition, OutboxRow, StoreConnection } from '@mississippi/core/store';
import type { MessageHeaders } from '@mississippi/core';
import { assertBytes, assertHeaders } from '../../conformance/assertions.js';
import { storeCase, type StoreConformanceCase } from '../store-case.js';
import type { StoreStage } from '../store-stage.js';

/** Every kind of value that a header may have. A store gives them back without any loss. */
const HEADERS: MessageHeaders = {
  text: 'é👩‍👩‍👧',
  empty: '',
  nul: 'a\0b',
  integer: 42,
  negative: -42,
  safe: Number.MAX_SAFE_INTEGER,
  large: 2n ** 63n - 1n,
  small: -(2n ** 63n),
  fraction: 0.1,
  tiny: 5e-324,
  yes: true,
  no: false,
  nothing: null,
  bytes: Buffer.from([0, 1, 254, 255]),
  noBytes: Buffer.of(),
  list: [1, 'two', null, [3n ** 35n], Buffer.from('four')],
  table: { inner: { bytes: Buffer.from('deep'), big: 2n ** 60n }, list: [] },
  'a name.with $signs': 1,
  constructor: 'plain',
  toJSON: 'plain',
};

/** What waits to be published. */
export const outboxCases: readonly StoreConformanceCase[] = [
  storeCase('rows come in the order of their positions, over many commits and epochs', async (stage) => {
    const connection = await stage.connect();
    const expected: { position: OutboxPosition; messageId: string }[] = [];
    for (let epoch = 1; epoch <= 12; epoch++) {
      const owner = await stage.own(connection);
      // Earlier epochs have higher commit numbers.
      for (let number = 1; number <= 13 - epoch; number++) {
        const messages = stage.messages(number === 2 ? 12 : 2);
        const { number: commit } = await owner.commit({ outbox: messages });
        messages.forEach(({ messageId }, index) => {
          expected.push({ position: { shard: 0, epoch, commit, index }, messageId });
        });
      }
    }
    assert.deepEqual(
      (await stage.outbox(connection)).map(({ position, message: { messageId } }) => ({
        position: { ...position },
        messageId,
      })),
      expected,
      'the rows',
    );
  }),

  storeCase('rows are read in pages of any size', async (stage) => {
    const { connection, rows } = await filled(stage);
    for (const limit of [1, 2, 3, 5, rows.length, rows.length + 1]) {
      const read: OutboxRow[] = [];
      for (;;) {
        const page = await connection.outbox(0, read.at(-1)?.position, limit);
        assert.ok(page.length <= limit, `a page of ${limit} has ${page.length} rows`);
        read.push(...page);
        if (page.length < limit) break;
      }
      assert.deepEqual(idsOf(read), idsOf(rows), `the rows in pages of ${limit}`);
    }
  }),

  storeCase('a page begins behind a position whose row is gone, or never was', async (stage) => {
    const { owner, connection, rows } = await filled(stage);
    await owner.commit({ sent: [rows[2]!.position] });
    const behind = async (after: OutboxPosition): Promise<string[]> => idsOf(await connection.outbox(0, after, 100));
    const all = idsOf(rows);
    assert.deepEqual(await behind(rows[2]!.position), all.slice(3), 'the rows behind one that is gone');
    assert.deepEqual(await behind(rows[1]!.position), all.slice(3), 'the rows behind the one before it');
    const { shard, epoch, commit } = rows[0]!.position;
    const ofCommit = rows.filter(({ position }) => position.epoch === epoch && position.commit === commit).length;
    assert.deepEqual(
      await behind({ shard, epoch, commit, index: 1_000 }),
      all.filter((id, index) => index >= ofCommit && id !== all[2]),
      'the rows behind a commit',
    );
    assert.deepEqual(await behind({ shard, epoch: epoch + 100, commit: 1, index: 0 }), [], 'the rows behind all');
  }),

  storeCase('rows go when they are named, each alone', async (stage) => {
    const { owner, connection, rows } = await filled(stage);
    await owner.commit({ sent: [rows[1]!.position, rows[4]!.position] });
    const left = rows.filter((_row, index) => index !== 1 && index !== 4);
    assert.deepEqual(idsOf(await stage.outbox(connection)), idsOf(left), 'what is left');
    await owner.commit({ sent: left.map(({ position }) => position).toReversed() });
    await stage.assertOutbox(connection, [], 'what is left at last');
  }),

  storeCase('rows that are gone already, or never were, do not matter', async (stage) => {
    const { owner, connection, rows } = await filled(stage);
    const gone = rows[0]!.position;
    await owner.commit({ sent: [gone] });
    const { epoch } = owner;
    const never = [
      { ...gone, index: 99 },
      { ...gone, commit: 99 },
      { ...gone, epoch: 99 },
      { ...gone, shard: 7 },
    ];
    const position = rows[1]!.position;
    await owner.commit({ sent: [gone, ...never, { shard: -1, epoch, commit: 1, index: 0 }, position, position] });
    assert.deepEqual(idsOf(await stage.outbox(connection)), idsOf(rows.slice(2)), 'what is left');
  }),

  storeCase('a commit removes rows of other shards', async (stage) => {
    const connection = await stage.connect();
    const [service, other, owner] = [
      await stage.own(connection, -1),
      await stage.own(connection, 1),
      await stage.own(connection),
    ];
    const [first, second, third] = stage.messages(3);
    await service.commit({ outbox: [first!, second!] });
    await other.commit({ outbox: [third!] });
    // Of all shards these are the first rows of the first epoch: only the shard tells them apart.
    const ofService = await stage.outbox(connection, -1);
    await owner.commit({ sent: [ofService[0]!.position], outbox: [stage.message({ messageId: 'own' })] });
    await stage.assertOutbox(connection, [second!], 'the outbox of -1', -1);
    await stage.assertOutbox(connection, [third!], 'the outbox of 1', 1);
    await stage.assertOutbox(connection, [{ messageId: 'own' }], 'the outbox of 0');
  }),

  storeCase('rows that were read stay until they are removed', async (stage) => {
    const { connection, rows } = await filled(stage);
    const successor = await stage.owner();
    assert.deepEqual(idsOf(await stage.outbox(connection)), idsOf(rows), 'what the former owner finds');
    assert.deepEqual(idsOf(await stage.outbox(successor.connection)), idsOf(rows), 'what the next owner finds');
  }),

  storeCase('messages come back as they were, with every kind of header', async (stage) => {
    const owner = await stage.owner();
    const messages = [
      stage.message({ headers: HEADERS, properties: { type: 'order.created', correlationId: '$' } }),
      stage.message({ kind: 'deadLetter', source: undefined, headers: {} }),
      stage.message({ timestamp: undefined, body: Buffer.of() }),
      stage.message({ timestamp: 0, body: Buffer.alloc(1_000_000, Buffer.from([0, 127, 128, 255])) }),
      stage.message({ timestamp: 253_402_300_799 }),
    ];
    await owner.commit({ outbox: messages });
    const rows = await stage.outbox(owner.connection);
    assert.equal(rows.length, messages.length, 'the number of rows');
    for (const [index, row] of rows.entries()) assertSame(row.message, messages[index]!);
  }),
];

/** A shard with rows of several commits and two epochs. */
async function filled(stage: StoreStage) {
  const connection: StoreConnection = await stage.connect();
  const former = await stage.own(connection);
  for (const count of [2, 3, 1]) await former.commit({ outbox: stage.messages(count) });
  const owner = await stage.own(connection);
  for (const count of [1, 4]) await owner.commit({ outbox: stage.messages(count) });
  const rows = await stage.outbox(connection);
  assert.equal(rows.length, 11, 'the number of rows');
  return { owner, connection, rows };
}

function idsOf(rows: readonly OutboxRow[]): string[] {
  return rows.map(({ message }) => message.messageId);
}

function assertSame(actual: OutboxMessage, expected: OutboxMessage): void {
  const { kind, messageId, timestamp, source, key, body, headers, properties } = expected;
  assert.deepEqual(
    { kind: actual.kind, messageId: actual.messageId, timestamp: actual.timestamp },
    { kind, messageId, timestamp },
    `what ${messageId} is`,
  );
  assertBytes(actual.source, source, `the source of ${messageId}`);
  assertBytes(actual.key, key, `the key of ${messageId}`);
  assertBytes(actual.body, body, `the body of ${messageId}`);
  assert.deepEqual(Object.keys(actual.headers).sort(), Object.keys(headers).sort(), `the headers of ${messageId}`);
  assertHeaders(actual.headers, headers, messageId);
  assert.deepEqual(actual.properties ?? {}, properties ?? {}, `the properties of ${messageId}`);
  assert.deepEqual(plain(actual.headers), plain(headers), `the headers of ${messageId}`);
}

/** Headers without the difference between kinds of byte arrays. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}
