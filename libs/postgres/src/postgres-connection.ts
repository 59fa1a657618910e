import { randomBytes } from 'node:crypto';
import { CommitRefusedError, StoreUnavailableError, type MississippiError } from '@mississippi/core';
import type {
  AuditedState,
  AuditQuestion,
  CommitResolution,
  CommitVerdict,
  EnqueuedMessage,
  InboxEntry,
  LoadedState,
  LostCommit,
  MessageIdentity,
  OpenShard,
  OutboxMessage,
  OutboxPosition,
  OutboxRow,
  ShardCommit,
  ShardOpening,
  StoreConnection,
  StoreStatus,
  StoreTransaction,
} from '@mississippi/core/store';
import type { Database } from './database/database.interface.js';
import { reasonOf } from './errors/reason.js';
import { asStoreError } from './errors/translate.js';
import { PostgresTransaction } from './postgres-transaction.js';
import { commitParams, messageParams } from './statements/commit-params.js';
import { CommitStatements } from './statements/commit.js';
import { byteas, bytes, int4s, integer, uuids, type Param } from './statements/params.js';
import { questionsFor, type Questions } from './statements/questions.js';
import type { Maintenance } from './maintenance/maintenance.js';
import { inline, type Statement } from './statements/statement.js';
import type { Tables } from './statements/tables.js';
import { inboxAddress, stateAddress } from './values/addresses.js';
import { outcomeOf } from './values/outcomes.js';
import { auditedState, loadedState, timeOf } from './values/states.js';
import { enqueuedMessage, outboxRow } from './values/outbox-rows.js';
import type { Row } from './values/row.js';

/** What a connection is made of. */
export interface ConnectionParts {
  readonly database: Database;
  readonly tables: Tables;
  /** The instance's number in the tables. */
  readonly instance: number;
  readonly maintenance: Maintenance;
}

/** The store of one instance, connected. */
export class PostgresConnection implements StoreConnection {
  private readonly questions: Questions;
  private readonly statements: CommitStatements;
  private problem: string | undefined;
  private closed: Promise<void> | undefined;

  constructor(private readonly parts: ConnectionParts) {
    this.questions = questionsFor(parts.tables);
    this.statements = new CommitStatements(parts.tables);
  }

  get singleSession(): boolean {
    return this.parts.database.singleSession;
  }

  status(): StoreStatus {
    if (this.closed !== undefined) return { connected: false, problem: 'the store is closed' };
    return this.problem === undefined ? { connected: true } : { connected: false, problem: this.problem };
  }

  async openShard(shard: number): Promise<ShardOpening> {
    const token = randomBytes(16);
    const [row] = await this.ask(this.questions.openShard, integer(shard), bytes(token));
    return { epoch: Number(row![0]), token };
  }

  async load(keys: readonly Uint8Array[]): Promise<readonly (LoadedState | undefined)[]> {
    if (keys.length === 0) return [];
    const states: (LoadedState | undefined)[] = keys.map(() => undefined);
    for (const [place, ...state] of await this.ask(this.questions.load, byteas(keys.map(stateAddress)))) {
      states[Number(place) - 1] = loadedState(state);
    }
    return states;
  }

  async audit({ key, since, limit }: AuditQuestion): Promise<readonly AuditedState[]> {
    const which = [integer(timeOf(since)), integer(Math.min(limit, 0x7fff_ffff))];
    const rows =
      key === undefined
        ? await this.ask(this.questions.audit, ...which)
        : await this.ask(this.questions.auditOfKey, ...which, bytes(stateAddress(key)));
    return rows.map(auditedState);
  }

  async lookUp(messages: readonly MessageIdentity[]): Promise<readonly (InboxEntry | undefined)[]> {
    if (messages.length === 0) return [];
    const addresses = messages.map(inboxAddress);
    const rows = await this.ask(this.questions.lookUp, uuids(addresses));
    if (rows.length === 0) return messages.map(() => undefined); // As nearly always.
    const found = new Map<string, Row>();
    for (const row of rows) {
      const address = (row[0] as Buffer).toString('latin1');
      const other = found.get(address);
      // What a replay has superseded stays in another part of the inbox until that one is emptied.
      if (other === undefined || Number(other[2]) < Number(row[2])) found.set(address, row);
    }
    return messages.map((message, index) => entryOf(message, found.get(addresses[index]!.toString('latin1'))));
  }

  async commit(commits: readonly ShardCommit[]): Promise<readonly CommitVerdict[]> {
    if (commits.length === 0) return [];
    const { parts, params } = commitParams(this.parts.instance, commits);
    const rows = await this.askRaw(this.statements.group(parts), params);
    if (rows.some(([shard]) => shard === null)) {
      throw new CommitRefusedError('known', 'The inbox has an entry for a message of the commit already.');
    }
    const committed = new Set(rows.map(([shard]) => shard));
    return commits.map(({ shard }) => (committed.has(shard) ? 'committed' : 'stale'));
  }

  async resolve({ shard, epoch, number, previous, token, voidToken }: LostCommit): Promise<CommitResolution> {
    const stands = [integer(shard), integer(epoch), integer(number), bytes(previous), bytes(voidToken)];
    const [row] = await this.ask(this.questions.resolve, ...stands);
    if (row === undefined || row[0] !== epoch || row[1] !== number) return 'stale';
    const now = row[2] as Buffer;
    if (now.equals(token)) return 'committed';
    return now.equals(voidToken) ? 'void' : 'stale';
  }

  async outbox(shard: number, after: OutboxPosition | undefined, limit: number): Promise<readonly OutboxRow[]> {
    const { epoch, commit, index } = after ?? { epoch: 0, commit: 0, index: -1 };
    const most = Math.min(limit, 0x7fff_ffff);
    const place = [integer(shard), integer(epoch), integer(commit), integer(index), integer(most)];
    return (await this.ask(this.questions.outbox, ...place)).map((row) => outboxRow(shard, row));
  }

  /** By the caller's client, with which it began its transaction: one of pg, of a PGlite, or a handler's. */
  async enqueue(transaction: unknown, shard: number, messages: readonly OutboxMessage[]): Promise<void> {
    if (!isClient(transaction) || isNoTransaction(transaction)) {
      throw new CommitRefusedError(
        'content',
        'A transaction is a client of pg or of a PGlite, with query(sql), in which BEGIN was said.',
      );
    }
    if (messages.length === 0) return;
    const params = [integer(this.parts.instance), integer(shard), ...messageParams(messages)];
    // With the values in the text: each client has its own way to take them beside it.
    await transaction.query(inline(this.questions.enqueue, params));
  }

  async enqueued(shards: readonly number[], limit: number): Promise<readonly EnqueuedMessage[]> {
    if (shards.length === 0) return [];
    const most = integer(Math.min(limit, 0x7fff_ffff));
    return (await this.ask(this.questions.enqueued, int4s(shards), most)).map(enqueuedMessage);
  }

  async maintain(open: readonly OpenShard[]): Promise<void> {
    await this.watch(() => this.parts.maintenance.run(open));
  }

  async begin(): Promise<StoreTransaction> {
    const { statements, parts } = this;
    const { database, instance } = parts;
    const transaction = await this.watch(() => database.begin());
    const isStale = (commit: ShardCommit): Promise<boolean> => this.isStale(commit);
    const isReadOnly = async (): Promise<boolean> => (await this.askRaw(this.questions.readOnly, []))[0]![0] === true;
    const asError = (error: unknown): MississippiError => this.noted(error);
    return new PostgresTransaction({ transaction, statements, instance, isStale, isReadOnly, asError });
  }

  close(): Promise<void> {
    this.closed ??= this.disconnect();
    return this.closed;
  }

  private async disconnect(): Promise<void> {
    await this.parts.database.close();
  }

  /** Whether a commit could not be made any more, or was not the next one. */
  private async isStale({ shard, epoch, number, previous }: ShardCommit): Promise<boolean> {
    const [row] = await this.ask(this.questions.stand, integer(shard));
    return row === undefined || row[0] !== epoch || row[1] !== number - 1 || !(row[2] as Buffer).equals(previous);
  }

  private ask(statement: Statement, ...params: readonly Param[]): Promise<readonly Row[]> {
    return this.askRaw(statement, [integer(this.parts.instance), ...params]);
  }

  private askRaw(statement: Statement, params: readonly Param[]): Promise<readonly Row[]> {
    return this.watch(() => this.parts.database.ask(statement, params));
  }

  private async watch<T>(question: () => Promise<T>): Promise<T> {
    if (this.closed !== undefined) throw new StoreUnavailableError('The store is closed.');
    try {
      const answer = await question();
      this.problem = undefined;
      return answer;
    } catch (error) {
      throw this.noted(error);
    }
  }

  /** What went wrong, in the core's terms; health shows it. */
  private noted(error: unknown): MississippiError {
    const meant = asStoreError(error);
    this.problem = meant instanceof StoreUnavailableError ? reasonOf(meant) : undefined;
    return meant;
  }
}

function entryOf({ key, messageId }: MessageIdentity, row: Row | undefined): InboxEntry | undefined {
  if (row === undefined) return undefined;
  const [, outcome, replay, payloadHash] = row;
  return {
    key,
    messageId,
    outcome: outcomeOf(Number(outcome)),
    replay: Number(replay),
    payloadHash: payloadHash as Buffer,
  };
}

/** Whether a client of pg, 8.16 or newer, says that it is in none. A pool takes another client for each query. */
function isNoTransaction(client: object): boolean {
  const status: unknown = Reflect.get(client, 'getTransactionStatus');
  return typeof status === 'function'
    ? status.call(client) === 'I'
    : typeof Reflect.get(client, 'totalCount') === 'number';
}

function isClient(value: unknown): value is { query(sql: string): Promise<unknown> } {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'query') === 'function';
}
