import { NotNowError } from '../../errors/index.js';
import { keyBytes } from '../../keys/sharding-key.js';
import type { CommitOptions } from '../../outcomes.js';
import type { OutboxMessage, StateChange } from '../../store/store.interface.js';
import { keyTextOf } from '../base/key-text.js';
import { NO_CHANGES, type Changes } from '../commits/commit-item.js';
import type { CallbackRun } from './callback-run.js';
import type { DataUpdater } from './data-updater.js';

/**
 * What a callback that succeeded changes in the store. The state is encoded here, in the tick in which the callback ends.
 * @param commit what its outcome asks for besides
 * @throws {StateEncodeError} and whatever a publication is refused with
 */
export function changesOf(run: CallbackRun, updater: DataUpdater, commit: CommitOptions | undefined): Changes {
  const { durable } = run.key;
  if (durable === undefined) {
    if (commit?.forget === true || (commit?.publish?.length ?? 0) > 0) run.adds.refuse();
    return NO_CHANGES;
  }
  return { ...NO_CHANGES, state: stateChange(run, updater, commit), outbox: outboxOf(run, commit) };
}

/** The changes were made: what is not changed from now on need not be written again. */
export function keepChanges(updater: DataUpdater, { state }: Changes): void {
  if (state !== undefined) updater.saved = state.state?.bytes;
}

function stateChange(
  run: CallbackRun,
  updater: DataUpdater,
  commit: CommitOptions | undefined,
): StateChange | undefined {
  const { form, stateTtl: ttl } = run.key.durable!.instance;
  const key = keyBytes(run.key.id);
  if (commit?.forget === true) return { key, state: undefined, ttl: undefined };
  if (updater.state === undefined) return undefined; // The handler keeps none.
  const state = form.encode(() => keyTextOf(run.key), updater.state);
  // What expires begins its time again with each message.
  const same = ttl === undefined && updater.saved !== undefined && Buffer.compare(state.bytes, updater.saved) === 0;
  return same ? undefined : { key, state, ttl };
}

function outboxOf(run: CallbackRun, commit: CommitOptions | undefined): readonly OutboxMessage[] {
  const publications = commit?.publish ?? [];
  if (!Array.isArray(publications)) throw new NotNowError('the option publish', 'it is no list');
  const { environment, key, effects, trace } = run;
  const more = publications.map(({ payload, ...input }) =>
    environment.encodeMessage(payload, input, keyBytes(key.id), trace),
  );
  return effects === undefined ? more : [...effects.outbox, ...more];
}
