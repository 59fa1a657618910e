import { SignalOutcomeUnknownError, StateVersionError } from '../../../errors/index.js';
import { keyBytes } from '../../../keys/sharding-key.js';
import type { LoadedState, StateAudit, StoredState } from '../../../store/store.interface.js';
import { keyTextOf } from '../../base/key-text.js';
import { NO_CHANGES } from '../../commits/commit-item.js';
import type { GivenState } from '../../commits/state-form.js';
import { UNPROMPTED } from '../../updaters/callback-run.js';
import type { PendingEdit } from '../pending-edit.js';
import type { TurnKey } from './turn-key.js';

/**
 * An operator's change of the stored state. The turn lasts until the state is known to be the one that he means, so that no callback
 * changes it in between; another owner cannot, since the commit has the epoch.
 */
export function editTurn(key: TurnKey, pending: PendingEdit): void {
  // What the store refuses meanwhile the key takes back when the turn has ended: the edit does not stand on it.
  key.commits!.whenSettled(() => {
    if (key.epoch.ended) refuse(key, pending, key.closeError!);
    else load(key, pending);
  });
}

function load(key: TurnKey, pending: PendingEdit): void {
  const { revision, state } = pending.edit;
  key.durable!.load(key.id, (stored, ended) => {
    if (ended !== undefined) refuse(key, pending, ended);
    else if ((stored?.revision ?? 0) !== revision || (state ?? stored) === undefined) {
      refuse(key, pending, new StateVersionError(keyTextOf(key), revision, stored?.revision ?? 0));
    } else if (state === undefined) commit(key, pending, stored, undefined);
    else check(key, pending, stored, state);
  });
}

/** Codecs and `migrate` are the user's: they have their time, as other callbacks. */
function check(key: TurnKey, pending: PendingEdit, stored: LoadedState | undefined, given: GivenState): void {
  const { form } = key.durable!.instance;
  key.activation.run(
    'decode',
    UNPROMPTED,
    () => form.accept(keyTextOf(key), given),
    (end) => {
      if (!end.ok) refuse(key, pending, end.error);
      else if (key.epoch.ended) refuse(key, pending, key.closeError!);
      else commit(key, pending, stored, end.value as StoredState);
    },
  );
}

/** What follows of the key waits for it, since its data updater is to start with it. */
function commit(
  key: TurnKey,
  pending: PendingEdit,
  previous: LoadedState | undefined,
  state: StoredState | undefined,
): void {
  const { activation, durable } = key;
  const { by, reason, process } = pending.edit;
  const bytes = keyBytes(key.id);
  const action = state === undefined ? 'forgotten' : 'edited';
  const audit: StateAudit = { key: bytes, action, by, reason, process, previous };
  const ttl = state === undefined ? undefined : durable!.instance.stateTtl;
  if (activation.updater !== undefined) activation.end('operator');
  key.commits!.add(
    { ...NO_CHANGES, state: { key: bytes, state, ttl }, audit },
    {
      committed: () => pending.answer(undefined),
      abandoned: () => pending.reject(new SignalOutcomeUnknownError(keyTextOf(key))),
      undone: (error) => pending.reject(error),
    },
  );
  key.turnEnded();
}

function refuse(key: TurnKey, pending: PendingEdit, error: unknown): void {
  pending.reject(error);
  key.turnEnded();
}
