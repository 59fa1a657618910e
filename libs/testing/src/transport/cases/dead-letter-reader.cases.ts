import assert from 'node:assert/strict';
import { DeadLettersBusyError } from '@mississippi/core';
import type { DeadLetterReader, Delivery, OutgoingMessage } from '@mississippi/core/transport';
import { assertHeaders, assertIds, assertSameMessage } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import type { Peer } from '../peer.js';
import type { Stage } from '../stage.js';

const NOTES = { mississippi_reason: 'discarded', mississippi_attempts: 3 };

/** Reads dead letters, so many at most. */
async function read({ journal }: Stage, reader: DeadLetterReader, most = Infinity): Promise<Delivery[]> {
  const letters: Delivery[] = [];
  while (letters.length < most) {
    const letter = await journal.settled('a dead letter to be read', reader.next());
    if (letter === undefined) break;
    letters.push(letter);
  }
  return letters;
}

async function open({ journal }: Stage, { connection }: Peer): Promise<DeadLetterReader> {
  const reading = connection.readDeadLetters?.();
  assert.ok(reading !== undefined, 'a transport without readDeadLetters lists deadLetterReader as unsupported');
  return journal.settled('the dead letters to be opened', reading);
}

function close({ journal }: Stage, reader: DeadLetterReader): Promise<void> {
  return journal.settled('the reader to close', reader.close());
}

/** A shard's owner, and what it has given up, the oldest first. */
async function withLetters(stage: Stage, messages: readonly OutgoingMessage[]): Promise<Peer> {
  const peer = await stage.consumer();
  await peer.publish(...messages);
  const session = await peer.session(0);
  for (const delivery of await session.received(messages.length)) {
    await stage.journal.settled('a dead letter', session.deadLetter(delivery, NOTES));
  }
  return peer;
}

const NEEDS = { needs: ['deadLetterReader'] } as const;

/** An operator reads what was given up. */
export const deadLetterReaderCases: readonly ConformanceCase[] = [
  conformanceCase('dead letters are read whole, oldest first, and stay', NEEDS, async (stage) => {
    const [first, ...others] = stage.messages(5);
    const message = { ...first!, headers: { kind: 'reading' }, properties: { type: 'reading', appId: 'meters' } };
    const peer = await withLetters(stage, [message, ...others]);
    const reader = await open(stage, peer);
    const letters = await read(stage, reader);
    assertIds(letters, [message, ...others], 'what is read');
    assertSameMessage(letters[0]!, message);
    assertHeaders(letters[0]!.headers, NOTES, 'the dead letter');
    assert.equal(reader.total, 5, 'how many there are');
    await close(stage, reader);
    assertIds(await stage.harness.deadLetters(), [message, ...others], 'what is there still');
  }),

  conformanceCase('what a reader removes is gone, and the others are in their places', NEEDS, async (stage) => {
    const messages = stage.messages(6);
    const peer = await withLetters(stage, messages);
    const reader = await open(stage, peer);
    const letters = await read(stage, reader, 5);
    for (const index of [3, 1]) reader.remove(letters[index]!);
    await close(stage, reader);
    const left = [0, 2, 4, 5].map((index) => messages[index]!);
    const again = await open(stage, peer);
    assertIds(await read(stage, again), left, 'what is read again');
    await close(stage, again);
    assertIds(await stage.harness.deadLetters(), left, 'what is left');
  }),

  conformanceCase('a reader does not meet what comes after it was opened', NEEDS, async (stage) => {
    const messages = stage.messages(2);
    const peer = await withLetters(stage, messages);
    const reader = await open(stage, peer);
    const [late] = stage.messages(1);
    await peer.publish(late!);
    const session = await peer.session(0);
    const delivery = (await session.received(3))[2]!;
    await stage.journal.settled('a dead letter', session.deadLetter(delivery, NOTES));
    assertIds(await read(stage, reader), messages, 'what is read');
    await close(stage, reader);
    assertIds(await stage.harness.deadLetters(), [...messages, late!], 'what is there');
  }),

  conformanceCase('dead letters have one reader at a time, and the next once it is closed', NEEDS, async (stage) => {
    const messages = stage.messages(3);
    const peer = await withLetters(stage, messages);
    const other = await stage.producer();
    const reader = await open(stage, peer);
    await read(stage, reader, 1);
    for (const second of [peer, other]) {
      const refused = await open(stage, second).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(
        refused instanceof DeadLettersBusyError,
        `a second reader must be told that it is busy: ${String(refused)}`,
      );
    }
    await close(stage, reader);
    const next = await open(stage, other);
    assertIds(await read(stage, next), messages, 'what the next one reads');
    await close(stage, next);
  }),
];
