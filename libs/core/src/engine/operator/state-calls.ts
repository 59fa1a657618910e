import { isDeepStrictEqual } from 'node:util';
import { describe } from '../../errors/describe.js';
import { AuditEntryNotFoundError, NoStoreError, StoreHeldError } from '../../errors/index.js';
import type {
  AuditEntry,
  AuditList,
  StateChangeOptions,
  StateReport,
} from '../../interfaces/stored-state.interface.js';
import { decodeShardingKey, shardOfEncoded } from '../../keys/sharding-key.js';
import type { OperatorRequest } from '../../signals/operator-request.js';
import type { AuditedState, AuditQuestion, StoredState } from '../../store/store.interface.js';
import type { Environment } from '../base/environment.js';
import type { DurableInstance } from '../commits/durable-instance.js';
import type { GivenState } from '../commits/state-form.js';
import { presentCaller } from '../updaters/callback-scope.js';
import type { OwnerRequests } from './owner-requests.js';
import { redacted } from './redacted.js';

/** Of the audit trail of one key, where an entry is looked for by its id. */
const MOST_OF_KEY = 10_000;

/** Who changes a state, and why, as it was checked. */
type Change = Required<StateChangeOptions> & { readonly version: number };

/** A state as it may be shown. */
type ShownState = Pick<StateReport, 'state' | 'redacted' | 'problem' | 'bytes'>;

/** What an operator sees of stored states, and does to them. Keys are canonical. */
export class StateCalls {
  constructor(
    private readonly environment: Environment,
    private readonly durable: DurableInstance | undefined,
    private readonly totalCount: number,
    private readonly requests: OwnerRequests,
  ) {}

  async report(key: Uint8Array): Promise<StateReport | undefined> {
    const stored = await this.store('state').stored(key);
    if (stored === undefined) return undefined;
    const { revision: version, version: form, changedAt, bytes } = stored;
    return { ...(await this.shown(key, stored)), version, changedAt, form, size: bytes.length };
  }

  /**
   * @param timeout milliseconds
   * @throws {StateVersionError}
   * @throws {StateEncodeError}
   */
  async edit(key: Uint8Array, state: unknown, change: Change, timeout: number): Promise<void> {
    const durable = this.store('editState');
    const given = durable.form.given(() => this.environment.keyText(key), state, await durable.stored(key));
    await this.replace(key, given, change, timeout);
  }

  async forget(key: Uint8Array, change: Change, timeout: number): Promise<void> {
    this.store('forgetState');
    await this.ask(key, { call: 'forgetState', ...change }, timeout);
  }

  /**
   * Puts back the state that there was before an entry of the audit trail.
   * @throws {AuditEntryNotFoundError}
   */
  async restore(key: Uint8Array, id: string, change: Change, timeout: number): Promise<void> {
    const rows = await this.rows('restoreState', { key, since: undefined, limit: MOST_OF_KEY });
    const row = rows.find((found) => found.id === id);
    if (row === undefined) throw new AuditEntryNotFoundError(this.environment.keyText(key), id);
    await (row.previous === undefined
      ? this.forget(key, change, timeout)
      : this.replace(key, row.previous, change, timeout));
  }

  async audit({ limit, ...which }: AuditQuestion): Promise<AuditList> {
    const rows = await this.rows('audit', { ...which, limit: limit + 1 });
    const entries: AuditEntry[] = [];
    for (const row of rows.slice(0, limit)) entries.push(await this.entry(row));
    return { entries, more: rows.length > limit };
  }

  private async rows(call: string, question: AuditQuestion): Promise<readonly AuditedState[]> {
    return this.store(call).link.connection.audit(question);
  }

  private async entry({ previous, revision, ...row }: AuditedState): Promise<AuditEntry> {
    const { id, at, key, action, by, reason, process } = row;
    const { state, problem, bytes } = previous === undefined ? NOTHING : await this.shown(key, previous);
    return {
      id,
      at,
      key: decodeShardingKey(key),
      text: this.environment.keyText(key),
      action,
      by,
      reason,
      process,
      versionBefore: previous?.revision ?? 0,
      versionAfter: revision ?? 0,
      previous: state,
      problem,
      previousBytes: bytes,
    };
  }

  private async shown(key: Uint8Array, stored: StoredState): Promise<ShownState> {
    const { keyText, options } = this.environment;
    const { redact } = options;
    const bytes = redact === undefined ? stored.bytes : undefined;
    try {
      const { form } = this.store('state');
      const whole = await form.shown(keyText(key), stored);
      if (redact === undefined) return { state: whole, redacted: false, problem: undefined, bytes };
      const shown = { what: 'state', key: decodeShardingKey(key), type: undefined } as const;
      // Another copy, which it may change as it likes.
      const state = redacted(redact, await form.shown(keyText(key), stored), shown);
      return { state, redacted: !isDeepStrictEqual(state, whole), problem: undefined, bytes };
    } catch (error) {
      return { state: undefined, redacted: false, problem: describe(error), bytes };
    }
  }

  private replace(key: Uint8Array, { bytes, version }: GivenState, change: Change, timeout: number): Promise<void> {
    const state = { bytes: Buffer.from(bytes).toString('base64'), form: version };
    return this.ask(key, { call: 'editState', ...change, state }, timeout);
  }

  private async ask(key: Uint8Array, request: OperatorRequest, timeout: number): Promise<void> {
    await this.requests.ask(shardOfEncoded(key, this.totalCount), key, request, timeout);
  }

  /**
   * @throws {NoStoreError}
   * @throws {StoreHeldError}
   */
  private store(call: string): DurableInstance {
    if (this.durable === undefined) throw new NoStoreError(`operator.${call}`);
    if (presentCaller().callback?.holdsStore === true) throw new StoreHeldError(call);
    return this.durable;
  }
}

const NOTHING: ShownState = { state: undefined, redacted: false, problem: undefined, bytes: undefined };
