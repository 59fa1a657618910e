import { keyId } from '../../keys/sharding-key.js';
import type { LoadedState, StateChange } from '../store.interface.js';

interface StateRow extends LoadedState {
  readonly changedAt: Date;
  /** Unix time in milliseconds from which on there is no state any more. */
  readonly until: number;
}

/** The states of keys. */
export class StateTable {
  private readonly rows = new Map<string, StateRow>();
  /** One number for all keys: it never comes again, though keys are forgotten. */
  private revisions = 0;

  get(key: Uint8Array, time: number): LoadedState | undefined {
    const row = this.rows.get(keyId(key));
    if (row === undefined || row.until <= time) return undefined;
    const { bytes, version, revision, changedAt } = row;
    return { bytes: Buffer.from(bytes), version, revision, changedAt: new Date(changedAt) };
  }

  /**
   * @param time Unix time in milliseconds
   * @returns the revision of what it wrote
   */
  write({ key, state, ttl = Infinity }: StateChange, time: number): number | undefined {
    const id = keyId(key);
    if (state === undefined) {
      this.rows.delete(id);
      return undefined;
    }
    const revision = ++this.revisions;
    this.rows.set(id, { ...state, revision, changedAt: new Date(time), until: time + ttl });
    return revision;
  }
}
