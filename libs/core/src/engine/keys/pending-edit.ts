import type { StateAudit } from '../../store/store.interface.js';
import { NOBODY } from '../base/caller.js';
import type { GivenState } from '../commits/state-form.js';
import { PendingSignal } from './pending-signal.js';

/** What an operator wants of a key's stored state. */
export interface StateEdit extends Pick<StateAudit, 'by' | 'reason' | 'process'> {
  /** Of the state that is to be there; 0 for none. */
  readonly revision: number;
  /** `undefined` forgets the key. */
  readonly state: GivenState | undefined;
}

/** An edit that waits for its turn at a key. */
export class PendingEdit extends PendingSignal {
  constructor(
    readonly edit: StateEdit,
    onDone: (value: unknown) => void,
    onError: (error: unknown) => void,
  ) {
    super('edit', undefined, NOBODY, onDone, onError);
  }
}
