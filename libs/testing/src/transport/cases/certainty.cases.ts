import assert from 'node:assert/strict';
import { assertIds } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import type { Peer } from '../peer.js';
import type { Stage } from '../stage.js';

const QUESTIONS = 100;

/** How an owner knows that it still is the owner. */
export const certaintyCases: readonly ConformanceCase[] = [
  conformanceCase('the ownership of a shard that was opened is certain, or can be made so', {}, async (stage) => {
    const peer = await stage.consumer();
    for (const { name, session } of await peer.recorder.opened(stage.totalCount)) {
      if (session.isCertain?.() !== false) continue;
      assert.ok(session.verify !== undefined, 'a session with isCertain must have verify');
      await stage.journal.settled(`${name} to verify`, session.verify());
      await stage.journal.until(`${name} to be certain`, () => session.isCertain?.() !== false);
    }
  }),

  conformanceCase('to ask whether the ownership is certain changes nothing', { prefetch: 5 }, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(8);
    await peer.publish(...messages);
    const owned = await peer.recorder.opened(stage.totalCount);
    const recorded = await peer.session(0);
    await recorded.received(5);
    for (let question = 0; question < QUESTIONS; question++) {
      for (const { session } of owned) {
        const answer = session.isCertain?.() ?? true;
        assert.equal(typeof answer, 'boolean', 'the answer');
      }
    }
    await stage.roundTrips(peer, 1);
    assertIds(recorded.deliveries, messages.slice(0, 5), 'the window after the questions');
    assertIds(await recorded.handle(8), messages, 'what goes on after the questions');
    assertUndisturbed(stage, peer);
  }),

  conformanceCase('an owner that verifies its ownership goes on', { prefetch: 5 }, async (stage) => {
    const peer = await stage.consumer();
    const messages = stage.messages(8);
    await peer.publish(...messages);
    const owned = await peer.recorder.opened(stage.totalCount);
    const recorded = await peer.session(0);
    await recorded.received(5);
    for (const { name, session } of owned) {
      assert.equal(session.verify === undefined, session.isCertain === undefined, 'verify and isCertain go together');
      for (let turn = 0; turn < 2; turn++) await stage.journal.settled(`${name} to verify`, verified(session));
      await stage.journal.until(`${name} to be certain`, () => session.isCertain?.() !== false);
    }
    assertIds(await recorded.handle(8), messages, 'what goes on afterwards');
    assertUndisturbed(stage, peer);
  }),
];

/** Asserts that the epochs with which a connection began go on. */
function assertUndisturbed(stage: Stage, { recorder }: Peer): void {
  assert.equal(recorder.sessions.length, stage.totalCount, 'no shard may be opened again');
  for (const { isOpen, shard } of recorder.sessions) assert.ok(isOpen, `the epoch of shard ${shard} must go on`);
}

async function verified(session: { verify?: () => Promise<void> }): Promise<void> {
  await session.verify?.();
}
