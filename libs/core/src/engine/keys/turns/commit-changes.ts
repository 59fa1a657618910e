import type { CommitOptions } from '../../../outcomes.js';
import { NO_CHANGES, type Changes } from '../../commits/commit-item.js';
import { NO_EFFECT, type Effect } from '../../commits/key-commits.js';
import { OutboxEffect } from '../../commits/outbox-effect.js';
import { changesOf, keepChanges } from '../../updaters/callback-changes.js';
import type { CallbackRun } from '../../updaters/callback-run.js';
import type { DataUpdater } from '../../updaters/data-updater.js';
import type { TurnKey } from './turn-key.js';

/**
 * Commits what a callback changed that no message caused, where there is a store.
 * @param then what follows once that, and all before it, is committed; at once without a store
 * @throws {StateEncodeError} and whatever a publication is refused with
 */
export function commitChanges(
  key: TurnKey,
  run: CallbackRun,
  updater: DataUpdater,
  commit: CommitOptions | undefined,
  then: Effect = NO_EFFECT,
): void {
  const changes = changesOf(run, updater, commit);
  if (key.commits !== undefined && !key.epoch.ended && key.undone === undefined) {
    keepChanges(updater, changes);
    if (commit?.forget === true) key.activation.end('forgotten');
  }
  add(key, changes, then);
}

/** What others may see of a callback that changed nothing waits for what is uncommitted of its key. */
export function afterCommits(key: TurnKey, then: Effect): void {
  add(key, NO_CHANGES, then);
}

function add({ commits, durable, epoch, undone }: TurnKey, changes: Changes, then: Effect): void {
  if (commits === undefined) then.committed({ number: 0, firstRow: 0 });
  else if (epoch.ended) then.abandoned();
  else if (undone !== undefined) then.undone(undone);
  else commits.add(changes, new OutboxEffect(durable!, changes, then));
}
