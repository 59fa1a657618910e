import { replaceGetter, replaceMethod, together, type Mutant as Planted } from '@mississippi/history';
import type { CommitItem } from '../../src/engine/commits/commit-item.js';
import { InboxMark } from '../../src/engine/commits/inbox-mark.js';
import { KeyCommits, NO_EFFECT } from '../../src/engine/commits/key-commits.js';
import { OutboxEffect } from '../../src/engine/commits/outbox-effect.js';
import { MessageTracker } from '../../src/engine/messages/message-tracker.js';
import { DeliveredMessage } from '../../src/engine/messages/tracked-message.js';
import { keyBytes } from '../../src/keys/sharding-key.js';
import { Activation } from '../../src/engine/updaters/activation.js';
import type { FoldPlan } from './fold-run.js';
import { InboxTable } from '../../src/store/memory/inbox-table.js';
import { ShardFence } from '../../src/store/memory/shard-fence.js';

/** A fault that somebody might put into the engine or a store, by public members of its classes. */
export interface Mutant extends Planted {
  /** What of the outcome must tell it. */
  readonly tells: RegExp;
  /** What has to happen more often for it to be seen soon. */
  readonly faults?: Partial<FoldPlan['faults']>;
}

type Commit = Parameters<ShardFence['admits']>[0];

function fence(name: string, fault: string, admits: (fence: ShardFence, commit: Commit) => boolean): Mutant {
  return {
    name,
    fault,
    tells: /misses|is not kept|times|was not written|missing/,
    plant: (struck) =>
      replaceMethod(
        ShardFence.prototype,
        'admits',
        (original) =>
          function (this: ShardFence, commit) {
            if (original.call(this, commit)) return true;
            if (!admits(this, commit)) return false;
            struck();
            return true;
          },
      ),
  };
}

/** The store has nothing against an entry that it has already. */
const admitsKnown = (): (() => void) => replaceMethod(InboxTable.prototype, 'admits', () => () => true);

const acksBeforeCommit: Mutant = {
  name: 'acks-before-commit',
  fault: 'acks a message before it is committed',
  tells: /misses/,
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'handled',
      (handled) =>
        function (this: MessageTracker, ...args) {
          const { head } = this;
          if (head instanceof DeliveredMessage && !head.fromSideQueue && args[1] > 0) {
            struck();
            this.epoch.session.settle(head.delivery);
          }
          handled.apply(this, args);
        },
    ),
};

const inboxSkipped: Mutant = {
  name: 'inbox-skipped',
  fault: 'does not ask the inbox',
  tells: /times/,
  plant: (struck) =>
    together(
      admitsKnown(),
      replaceMethod(
        InboxMark.prototype,
        'verdict',
        (verdict) =>
          function (this: InboxMark, commits) {
            if (verdict.call(this, commits) !== 'new') struck();
            return 'new';
          },
      ),
    ),
};

const memoryForInbox: Mutant = {
  name: 'memory-for-inbox',
  fault: 'recognises repeats by the memory of the process instead of the inbox',
  tells: /times/,
  plant: (struck) =>
    together(
      admitsKnown(),
      replaceMethod(
        InboxMark.prototype,
        'verdict',
        (verdict) =>
          function (this: InboxMark, commits) {
            const found = verdict.call(this, commits);
            if (found === 'new' || commits.find(this.identity!.messageId, this.ticket) !== undefined) return found;
            struck();
            return 'new';
          },
      ),
    ),
};

const sendsBeforeCommit: Mutant = {
  name: 'sends-before-commit',
  fault: 'sends what a callback publishes before it is committed',
  tells: /times|passed on by nobody/,
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'handled',
      (handled) =>
        function (this: MessageTracker, outcome, attempts, changes) {
          if (changes !== undefined && changes.outbox.length > 0) {
            struck();
            const { outbox, commits } = this.epoch.durable!;
            outbox.committed({ number: commits.number + 1, firstRow: 0 }, changes.outbox);
          }
          handled.call(this, outcome, attempts, changes);
        },
    ),
};

const lettersBeforeCommit: Mutant = {
  name: 'letters-before-commit',
  fault: 'publishes a dead letter before it is committed',
  tells: /is a dead letter/,
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'refuse',
      (refuse) =>
        function (this: MessageTracker, ...args) {
          const { head } = this;
          if (head instanceof DeliveredMessage && args[0] === 'discarded') {
            struck();
            const { delivery } = head;
            const { outbox, commits } = this.epoch.durable!;
            const letter = {
              kind: 'deadLetter',
              source: keyBytes(this.id),
              key: keyBytes(this.id),
              messageId: delivery.messageId!,
              timestamp: delivery.timestamp,
              headers: delivery.headers,
              body: delivery.body,
            } as const;
            outbox.committed({ number: commits.number + 1, firstRow: 0 }, [letter]);
          }
          refuse.apply(this, args);
        },
    ),
};

const keepsUndone: Mutant = {
  name: 'keeps-undone',
  fault: 'keeps the state of a commit that failed',
  tells: /times|kept|is not kept|was undone/,
  plant: (struck) => replaceMethod(Activation.prototype, 'undone', () => () => struck()),
};

const goesOnWhileCommitting: Mutant = {
  name: 'goes-on-while-committing',
  fault: 'moves a key aside, and loads it, while a commit of it is pending',
  tells: /times|misses|order|is not kept|missing/,
  plant: (struck) =>
    replaceGetter(KeyCommits.prototype, 'pending', (pending) => {
      if (pending > 0) struck();
      return 0;
    }),
};

const answersBeforeCommit: Mutant = {
  name: 'answers-before-commit',
  fault: 'answers a signal before what it changed is committed',
  tells: /was answered/,
  plant: (struck) =>
    replaceMethod(
      KeyCommits.prototype,
      'add',
      (add) =>
        function (this: KeyCommits, changes, effect) {
          if (!(effect instanceof OutboxEffect) || changes.state === undefined) {
            add.call(this, changes, effect);
            return;
          }
          struck();
          effect.committed({ number: 0, firstRow: 0 });
          add.call(this, changes, NO_EFFECT);
        },
    ),
};

const losesInPlace: Mutant = {
  name: 'loses-in-place',
  fault: 'writes a state only where the handler returned one',
  tells: /misses|missing/,
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'handled',
      (handled) =>
        function (this: MessageTracker, outcome, attempts, changes) {
          if (changes?.state === undefined || outcome.state !== undefined) {
            handled.call(this, outcome, attempts, changes);
            return;
          }
          struck();
          handled.call(this, outcome, attempts, { ...changes, state: undefined } satisfies CommitItem['changes']);
        },
    ),
};

export const mutants: readonly Mutant[] = [
  { ...fence('no-fence', 'writes whatever owner a commit is of', () => true), faults: { frozen: 120 } },
  {
    ...fence(
      'fence-by-greater-than',
      'takes the commit of an owner whose epoch is higher for a current one',
      ({ epoch }, commit) => commit.epoch > epoch,
    ),
    faults: { frozen: 80, restored: 1_000 },
  },
  acksBeforeCommit,
  inboxSkipped,
  memoryForInbox,
  sendsBeforeCommit,
  lettersBeforeCommit,
  keepsUndone,
  goesOnWhileCommitting,
  answersBeforeCommit,
  losesInPlace,
];
