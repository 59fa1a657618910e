import { REPLAY_HEADER } from '@mississippi/core';
import { replaceMethod, together, type Mutant } from '@mississippi/history';
import { PausedTypes } from '../../src/engine/base/paused-types.js';
import { KeyQueue } from '../../src/engine/keys/key-queue.js';
import { PendingEdit } from '../../src/engine/keys/pending-edit.js';
import { HandledMemory } from '../../src/engine/messages/handled-memory.js';
import { MessageTracker } from '../../src/engine/messages/message-tracker.js';
import { Recovery } from '../../src/engine/messages/recovery.js';
import { DeliveredMessage } from '../../src/engine/messages/tracked-message.js';
import type { Letter } from '../../src/engine/operator/letter.js';
import { Pace } from '../../src/engine/operator/pace.js';
import { Replay } from '../../src/engine/operator/replay.js';
import { DeadLetters } from '../../src/memory/broker/dead-letters.js';
import { MemorySession } from '../../src/memory/broker/memory-session.js';
import { Ownership } from '../../src/memory/broker/ownership.js';
import { MemoryConnection } from '../../src/memory/memory-connection.js';
import { NOTE_HEADERS } from '../../src/note-headers.js';
import { deactivate, drop, dropAll, pauseAndResume, retry, type Action } from '#support/load/key-actions.js';
import { dropLetters, replayAll, replayIntoHeld, replayKey, replayOne } from '#support/load/letter-actions.js';
import { pauseIntake, pauseOnlyIntake, pauseType } from '#support/load/pause-actions.js';
import { changeState } from '#support/load/state-actions.js';

/** A fault in what an operator asks for, and the action that shows it. */
export interface OperatorMutant extends Mutant {
  readonly in: Action;
  /** What the action says of it. */
  readonly says: RegExp;
}

const VAIN = /in vain/;

export const mutants: readonly OperatorMutant[] = [
  {
    name: 'retries-in-words',
    fault: 'says that it tries a head, and does not',
    in: retry,
    says: VAIN,
    plant: (struck) =>
      replaceMethod(Recovery.prototype, 'retryNow', () => () => {
        struck();
        return true;
      }),
  },
  {
    name: 'drops-any',
    fault: 'drops the head, whatever message was named',
    in: drop,
    says: /Received promise resolved/,
    plant: (struck) =>
      replaceMethod(
        MessageTracker.prototype,
        'dropHead',
        (dropHead) =>
          function (this: MessageTracker, expected) {
            if (expected !== undefined && this.head?.messageId !== expected) struck();
            return dropHead.call(this);
          },
      ),
  },
  {
    name: 'drops-without-letter',
    fault: 'drops what is parked without a dead letter',
    in: dropAll,
    says: /toEqual/,
    plant: (struck) =>
      replaceMethod(
        MemorySession.prototype,
        'deadLetter',
        (deadLetter) =>
          async function (this: MemorySession, delivery, notes) {
            if (notes[NOTE_HEADERS.reason] !== 'dropped') return deadLetter.call(this, delivery, notes);
            struck();
            this.settle(delivery);
          },
      ),
  },
  {
    name: 'pauses-idle-keys-only',
    fault: 'forgets to park a key at which an attempt runs',
    in: pauseAndResume,
    says: /though its key is held|in vain/,
    plant: (struck) =>
      replaceMethod(
        MessageTracker.prototype,
        'park',
        (park) =>
          function (this: MessageTracker) {
            if (this.phase === 'attempting') struck();
            else park.call(this);
          },
      ),
  },
  {
    name: 'resumes-beside',
    fault: 'handles what comes of a key that is resumed beside what is parked of it',
    in: pauseAndResume,
    says: /leaves a gap/,
    plant: (struck) =>
      replaceMethod(
        MessageTracker.prototype,
        'deliver',
        (deliver) =>
          function (this: MessageTracker, delivery, handledBefore) {
            if (this.parkedState !== 'resuming') {
              deliver.call(this, delivery, handledBefore);
              return;
            }
            struck();
            this.held++;
            this.fifo.push(new DeliveredMessage(this.epoch.environment.clock.now(), delivery, false, false));
          },
      ),
  },
  {
    name: 'deactivates-in-words',
    fault: 'says that a data updater is to end, and goes on with it',
    in: deactivate,
    says: /data updater that is to end|toBeGreaterThan/,
    plant: (struck) =>
      replaceMethod(
        KeyQueue.prototype,
        'signal',
        (signal) =>
          function (this: KeyQueue, pending) {
            if (pending.purpose !== 'deactivate') {
              signal.call(this, pending);
              return;
            }
            struck();
            pending.answer(undefined);
          },
      ),
  },
  {
    name: 'edits-any-version',
    fault: 'takes whatever version is there for the one that was named',
    in: changeState,
    says: /Received promise resolved/,
    plant: (struck) =>
      replaceMethod(
        KeyQueue.prototype,
        'signal',
        (signal) =>
          function (this: KeyQueue, pending) {
            if (pending instanceof PendingEdit) {
              const { edit } = pending;
              this.durable!.load(this.id, (stored) => {
                if (stored !== undefined && stored.revision !== edit.revision) struck();
                Object.assign(edit, { revision: stored?.revision ?? 0 });
                signal.call(this, pending);
              });
            } else signal.call(this, pending);
          },
      ),
  },
  {
    name: 'loses-replays',
    fault: 'takes a replay out of the dead letters and does not publish it',
    in: replayOne,
    says: /in vain/,
    plant: losesReplays,
  },
  {
    name: 'replays-out-of-order',
    fault: 'replays the second dead letter before the first',
    in: replayKey,
    says: /toEqual/,
    plant(struck) {
      const first = new WeakMap<Replay, [Letter, Uint8Array]>();
      const seen = new WeakSet<Replay>();
      return replaceMethod(
        Replay.prototype,
        'add',
        (add) =>
          async function (this: Replay, letter, key) {
            if (!seen.has(this)) {
              seen.add(this);
              first.set(this, [letter, key]);
              return;
            }
            await add.call(this, letter, key);
            const held = first.get(this);
            if (held === undefined) return;
            first.delete(this);
            struck();
            await add.call(this, ...held);
          },
      );
    },
  },
  {
    name: 'replays-at-once',
    fault: 'replays faster than it is told',
    in: replayAll,
    says: /toEqual/,
    plant: (struck) =>
      replaceMethod(Pace.prototype, 'turn', () => async () => {
        struck();
      }),
  },
  {
    name: 'takes-replays-for-originals',
    fault: 'takes the replay of a dead letter that comes again for what was given up',
    in: replayIntoHeld,
    says: /in vain/,
    plant: (struck) =>
      together(
        replaceMethod(
          HandledMemory.prototype,
          'remember',
          (remember) =>
            function (this: HandledMemory, keyId, delivery) {
              remember.call(this, keyId, { ...delivery, headers: {} });
            },
        ),
        replaceMethod(
          HandledMemory.prototype,
          'takeMark',
          (takeMark) =>
            function (this: HandledMemory, keyId, delivery, inOrder) {
              const taken = takeMark.call(this, keyId, { ...delivery, headers: {} }, inOrder);
              if (taken && delivery.headers[REPLAY_HEADER] !== undefined) struck();
              return taken;
            },
        ),
      ),
  },
  {
    name: 'drops-letters-of-others',
    fault: 'drops a dead letter that the filter does not mean',
    in: dropLetters,
    says: /toEqual/,
    plant: (struck) =>
      replaceMethod(
        DeadLetters.prototype,
        'read',
        (read) =>
          function (this: DeadLetters) {
            const reader = read.call(this);
            const remove = (delivery: Parameters<typeof reader.remove>[0]): void => {
              reader.remove(delivery);
              if (this.letters.length % 7 !== 0) return;
              struck();
              this.letters.pop();
            };
            return { ...reader, remove };
          },
      ),
  },
  {
    name: 'lets-some-through',
    fault: 'forgets now and then that a type is paused',
    in: pauseType,
    says: /is paused|toBe/,
    plant(struck) {
      let asked = 0;
      return replaceMethod(
        PausedTypes.prototype,
        'has',
        (has) =>
          function (this: PausedTypes, type) {
            const paused = has.call(this, type);
            if (!paused || ++asked % 10 > 0) return paused;
            struck();
            return false;
          },
      );
    },
  },
  {
    name: 'claims-on',
    fault: 'goes on claiming shards though its intake is paused',
    in: pauseIntake,
    says: /intake is paused|in vain/,
    plant: (struck) =>
      replaceMethod(
        Ownership.prototype,
        'withdraw',
        (withdraw) =>
          function (this: Ownership, member) {
            this.leave = struck;
            withdraw.call(this, member);
            Reflect.deleteProperty(this, 'leave');
          },
      ),
  },
  {
    name: 'stays-closed',
    fault: 'does not claim again when its intake is resumed',
    in: pauseOnlyIntake,
    says: VAIN,
    plant: (struck) =>
      replaceMethod(
        MemoryConnection.prototype,
        'setIntake',
        (setIntake) =>
          async function (this: MemoryConnection, process, paused) {
            if (paused) await setIntake.call(this, process, paused);
            else struck();
          },
      ),
  },
];

function losesReplays(struck: () => void): () => void {
  return replaceMethod(
    MemoryConnection.prototype,
    'publish',
    (publish) =>
      async function (this: MemoryConnection, message, ...how) {
        if (message.headers[REPLAY_HEADER] === undefined) return publish.call(this, message, ...how);
        struck();
      },
  );
}
