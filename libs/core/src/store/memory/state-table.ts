import { keyId } from '../../keys/sharding-key.js';
import type { StateChange, StoredState } from '../store.interface.js';

interface StateRow extends StoredState {
  /** Unix time in milliseconds from which on there is no state any more. */
  readonly until: number;
}

/** The states of keys. */
export class StateTable {
  private readonly rows = new Map<string, StateRow>();

  get(key: Uint8Array, time: number): StoredState | undefined {
    const row = this.rows.get(keyId(key));
    if (row === undefined || row.until <= time) return undefined;
    return { bytes: Buffer.from(row.bytes), version: row.version };
  }

  /** @param time Unix time in milliseconds */
  write({ key, state, ttl = Infinity }: StateChange, time: number): void {
    const id = keyId(key);
    if (state === undefined) this.rows.delete(id);
    else this.rows.set(id, { ...state, until: time + ttl });
  }
}
