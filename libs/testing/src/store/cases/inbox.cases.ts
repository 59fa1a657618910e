import assert from 'node:assert/strict';
import { CommitRefusedError } from '@mississippi/core';
import type { InboxEntry, InboxOutcome, StoreConnection } from '@mississippi/core/store';
import { storeCase, type StoreConformanceCase } from '../store-case.js';
import { assertSameEntry, type StoreStage } from '../store-stage.js';

const OUTCOMES: readonly InboxOutcome[] = ['handled', 'discarded', 'exhausted', 'dropped'];
const UNFINISHED = OUTCOMES.filter((outcome) => outcome !== 'handled');

/** Ids that may arrive over a wire: each is a text with a form in UTF-8, of up to 255 bytes. */
const ODD_IDS = [
  '',
  ' ',
  'm',
  'M',
  'm ',
  'm\0',
  '\0',
  '\u0001\u001f\u007f',
  '\ufffd',
  '\ufeffm',
  'é',
  'e\u0301',
  '👩‍👩‍👧',
  "'; drop table inbox --",
  '\\x00',
  '{"a":1},(b)',
  'x'.repeat(255),
  'é'.repeat(127),
];
/** Halves of a surrogate pair, which have no form in UTF-8: where that is lost, all of them are one. */
const HALVES = ['m\ud800', 'm\udbff', 'm\udc00'];

/** What is remembered of messages. */
export const inboxCases: readonly StoreConformanceCase[] = [
  storeCase('messages are looked up in their order, repeated and unknown ones too', async (stage) => {
    const owner = await stage.owner();
    const entries = OUTCOMES.map((outcome, replay) => stage.entry({ outcome, replay }));
    const [a, b, c, d] = entries;
    await owner.commit({ handled: entries.slice(0, 2) });
    await owner.commit({ handled: entries.slice(2) });
    const unknown = stage.entry();
    const asked = [d, unknown, b, a, c, b, unknown].map((entry) => entry!);
    const found = await owner.connection.lookUp(asked.map(({ key, messageId }) => ({ key, messageId })));
    assert.equal(found.length, asked.length, 'the number of answers');
    for (const [index, entry] of asked.entries()) {
      assertSameEntry(found[index], entry === unknown ? undefined : entry, `answer ${index}`);
    }
    assert.deepEqual(await owner.connection.lookUp([]), [], 'the answers to no question');
  }),

  storeCase('a message is known by its key and its id together', async (stage) => {
    const owner = await stage.owner();
    const [a, b] = stage.keys(2);
    const one = stage.entry({ key: a!, messageId: 'x' });
    const entries = [one, stage.entry({ key: b!, messageId: 'x' }), stage.entry({ key: a!, messageId: 'y' })];
    await owner.commit({ handled: [one] });
    await stage.assertEntry(owner.connection, entries[1]!, undefined, 'the same id of another key');
    await owner.commit({ handled: entries.slice(1) });
    for (const entry of entries) await stage.assertEntry(owner.connection, entry, entry, 'an entry');
    // A key and an id that are one text when put together.
    const [joined, apart] = [
      stage.entry({ key: Buffer.from('ab'), messageId: 'c' }),
      stage.entry({ key: Buffer.from('a'), messageId: 'bc' }),
    ];
    await owner.commit({ handled: [joined, apart] });
    for (const entry of [joined, apart]) await stage.assertEntry(owner.connection, entry, entry, 'an entry');
  }),

  ...OUTCOMES.map((outcome) =>
    storeCase(`a message that was ${outcome} is refused, with whatever outcome and payload`, async (stage) => {
      const owner = await stage.owner();
      const entry = stage.entry({ outcome });
      await owner.commit({ handled: [entry] });
      for (const again of OUTCOMES) {
        await assertRefused(stage, owner.connection, { ...entry, outcome: again }, entry);
        await assertRefused(stage, owner.connection, { ...entry, payloadHash: Buffer.alloc(16, 0xff) }, entry);
      }
    }),
  ),

  storeCase('an entry counts in later epochs too', async (stage) => {
    const entry = stage.entry();
    const first = await stage.owner();
    await first.commit({ handled: [entry] });
    await first.connection.close();
    await assertRefused(stage, await stage.connect(), entry, entry);
  }),

  storeCase('a message that was handled is not replayed', async (stage) => {
    const owner = await stage.owner();
    const [entry, replayed] = [stage.entry(), stage.entry({ replay: 3 })];
    await owner.commit({ handled: [entry, replayed] });
    await assertRefused(stage, owner.connection, { ...entry, replay: 1 }, entry);
    await assertRefused(stage, owner.connection, { ...replayed, replay: 4 }, replayed);
  }),

  ...UNFINISHED.map((outcome) =>
    storeCase(`a message that was ${outcome} is replayed by a higher number alone`, async (stage) => {
      const owner = await stage.owner();
      const entry = stage.entry({ outcome });
      await owner.commit({ handled: [entry] });
      const second = { ...entry, replay: 2, payloadHash: Buffer.alloc(16, 0xee) };
      await stage.owner();
      await owner.connection.close();
      const next = await stage.owner();
      await next.commit({ handled: [second] });
      await stage.assertEntry(next.connection, entry, second, 'the entry of the replay');
      for (const replay of [0, 1, 2]) await assertRefused(stage, next.connection, { ...entry, replay }, second);
      const last = { ...second, outcome: 'handled' as const, replay: 12 };
      const later = await stage.owner();
      await later.commit({ handled: [last] });
      await stage.assertEntry(later.connection, entry, last, 'the entry of the last replay');
      await assertRefused(stage, later.connection, { ...last, replay: 13 }, last);
    }),
  ),

  storeCase('a message that comes twice in one commit is refused', async (stage) => {
    const owner = await stage.owner();
    const entry = stage.entry();
    const commit = owner.next({ handled: [entry, stage.entry(), entry] });
    await stage.rejected(() => owner.connection.commit([commit]), CommitRefusedError, 'a message twice');
    await stage.assertEntry(owner.connection, entry, undefined, 'the inbox');
  }),

  storeCase('ids of any characters are told apart', async (stage) => {
    const owner = await stage.owner();
    const entries = ODD_IDS.map((messageId) => stage.entry({ messageId }));
    await owner.commit({ handled: entries, outbox: ODD_IDS.map((messageId) => stage.message({ messageId })) });
    const found = await owner.connection.lookUp(entries);
    for (const [index, entry] of entries.entries()) {
      assertSameEntry(found[index], entry, `the entry of ${JSON.stringify(entry.messageId)}`);
    }
    const rows = await stage.outbox(owner.connection);
    assert.deepEqual(
      rows.map(({ message }) => message.messageId),
      ODD_IDS,
      'the ids in the outbox',
    );
  }),

  storeCase('an id without a form in UTF-8 is kept as it is, or refused', async (stage) => {
    const owner = await stage.owner();
    const other = stage.entry({ messageId: 'm\ufffd' });
    await owner.commit({ handled: [other] });
    for (const messageId of HALVES) {
      const entry = stage.entry({ messageId });
      await stage.assertEntry(owner.connection, entry, undefined, `the entry of ${JSON.stringify(messageId)} before`);
      const commit = owner.next({ handled: [entry] });
      const kept = await owner.connection.commit([commit]).then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof CommitRefusedError, `it must be refused, not ${String(error)}`);
          assert.equal(error.reason, 'content', 'the reason');
          owner.takeBack(commit);
          return false;
        },
      );
      await stage.assertEntry(owner.connection, entry, kept ? entry : undefined, 'its entry');
    }
    await stage.assertEntry(owner.connection, other, other, 'the entry of the replacement character');
    await owner.put(stage.key(), 'works');
  }),
];

/** Asserts that a commit with the entry is refused and leaves the inbox as it is. Opens the shard. */
async function assertRefused(
  stage: StoreStage,
  connection: StoreConnection,
  entry: InboxEntry,
  stored: InboxEntry,
): Promise<void> {
  const owner = await stage.own(connection);
  const what = `${entry.outcome} as replay ${entry.replay} over ${stored.outcome} as replay ${stored.replay}`;
  const commit = owner.next({ handled: [stage.entry(), entry] });
  await stage.refused(() => connection.commit([commit]), 'known', what);
  await stage.assertEntry(connection, entry, stored, `the entry after ${what}`);
}
