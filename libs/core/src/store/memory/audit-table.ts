import { keyId } from '../../keys/sharding-key.js';
import type { AuditedState, AuditQuestion, StateAudit } from '../store.interface.js';
import { copyAudit } from './copies.js';

/** What operators did to states. It is never pruned. */
export class AuditTable {
  private readonly rows: AuditedState[] = [];

  /**
   * @param revision of the state that it wrote
   * @param time Unix time in milliseconds
   */
  write(audit: StateAudit, revision: number | undefined, time: number): void {
    this.rows.push({ ...audit, id: String(this.rows.length + 1), at: new Date(time), revision });
  }

  read({ key, since, limit }: AuditQuestion): AuditedState[] {
    const id = key && keyId(key);
    return this.rows
      .filter((row) => (id === undefined || keyId(row.key) === id) && (since === undefined || row.at >= since))
      .slice(-limit)
      .toReversed()
      .map((row) => ({ ...row, ...copyAudit(row), at: new Date(row.at) }));
  }
}
