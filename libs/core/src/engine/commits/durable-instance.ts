import type { Timer } from '../../clock/clock.interface.js';
import { NoStoreError, PublishError, PublishTimeoutError } from '../../errors/index.js';
import { keyId, shardOfEncoded } from '../../keys/sharding-key.js';
import type {
  InboxEntry,
  MessageIdentity,
  OpenShard,
  OutboxMessage,
  OutboxPosition,
  OutboxRow,
  ShardOpening,
  StoreTransaction,
  LoadedState,
} from '../../store/store.interface.js';
import type { OldestOutboxMessage, OutboxHealth, StoreHealth } from '../../interfaces/status.interface.js';
import { BatchedQuestions } from './batched-questions.js';
import { itemOf, type CommittedAt } from './commit-item.js';
import { Committer } from './committer.js';
import { HeldSession } from './held-session.js';
import { OutboxSender, type OldestRow, type OutboxParts } from './outbox-sender.js';
import { Relay } from './relay.js';
import { ReservedTransaction } from './reserved-transaction.js';
import { ShardCommits } from './shard-commits.js';
import type { StateForm } from './state-form.js';
import type { StoreLink } from './store-link.js';

/** The pseudo-shard of what services publish over a transport that keeps nothing. */
export const PRODUCER_SHARD = -1;

/** How often the store is told who owns what. Milliseconds. */
const MAINTENANCE = 60_000;

/** What an instance with a store is made of. */
export interface DurableParts extends Omit<OutboxParts, 'taken' | 'link'> {
  readonly link: StoreLink;
  readonly form: StateForm;
  /** A key as the log shows it. */
  readonly keyText: (key: Uint8Array) => string;
  /** Milliseconds, `undefined` for ever. */
  readonly stateTtl: number | undefined;
  /** How long a shard waits for its store before it is given back. Milliseconds. */
  readonly patience: number;
}

/** What one instance has of its store. */
export class DurableInstance {
  readonly inbox: BatchedQuestions<MessageIdentity, InboxEntry | undefined>;
  readonly states: BatchedQuestions<Uint8Array, LoadedState | undefined>;
  readonly form: StateForm;
  readonly stateTtl: number | undefined;
  readonly link: StoreLink;
  private readonly committer: Committer;
  private readonly relay: Relay;
  /** Rows of messages that the transport would lose: they are removed when the message is finished. By key and id. */
  private readonly rows = new Map<string, OutboxPosition[]>();
  /** Rejects what services publish and is not committed. */
  private readonly publishing = new Set<(error: Error) => void>();
  /** Of the shards that are open, and of some that were. */
  private readonly senders = new Set<OutboxSender>();
  private maintenance: Timer | undefined;
  private closed = false;
  private withoutId = 0;
  private producer: { readonly commits: ShardCommits; readonly outbox: OutboxSender } | undefined;

  constructor(private readonly parts: DurableParts) {
    const { link, form, stateTtl } = parts;
    this.link = link;
    this.form = form;
    this.stateTtl = stateTtl;
    this.committer = new Committer(link);
    this.relay = new Relay(link);
    this.inbox = new BatchedQuestions(link, (messages) => link.connection.lookUp(messages));
    this.states = new BatchedQuestions(link, (keys) => link.connection.load(keys));
  }

  /**
   * Begins a transaction of a handler's, whose session nothing else can have meanwhile where the store has one only.
   * @param keyText the key, for the log
   */
  async begin(over: () => boolean, keyText: () => string): Promise<StoreTransaction | undefined> {
    const { connection } = this.link;
    if (connection.begin === undefined) throw new NoStoreError('context.transaction()');
    if (connection.singleSession !== true) return this.link.ask(() => connection.begin!(), over);
    const session = new HeldSession(this.link, await this.committer.reserve(), keyText);
    let begun: StoreTransaction | undefined;
    try {
      begun = await this.link.ask(() => connection.begin!(), over);
      return begun === undefined ? begun : new ReservedTransaction(begun, () => session.release());
    } finally {
      if (begun === undefined) session.release();
    }
  }

  /** Whether what is published goes through the outbox, because the transport does not keep it. */
  get keepsMessages(): boolean {
    return !this.parts.doneWhenTaken;
  }

  /**
   * @param giveUp called when the store has been away for longer than shards wait
   * @param open the shards that this process owns
   */
  whenLost(giveUp: (error: Error) => void, open: () => readonly OpenShard[]): void {
    this.link.whenAwayFor(this.parts.patience, giveUp);
    const again = (): void => {
      this.maintenance = this.link.clock.after(
        MAINTENANCE,
        () => {
          void this.maintain(open()).then(again);
        },
        true,
      );
    };
    again();
  }

  status(): StoreHealth {
    const { awayFor, problem } = this.link;
    const said = { messagesWithoutId: this.withoutId, outbox: this.outboxHealth() };
    return awayFor === undefined
      ? { connected: true, ...said }
      : { connected: false, awayFor, ...(problem === undefined ? {} : { problem }), ...said };
  }

  private outboxHealth(): OutboxHealth {
    let waiting = 0;
    let oldest: OldestRow | undefined;
    for (const sender of this.senders) {
      if (sender.over) continue;
      waiting += sender.length;
      const its = sender.oldest;
      if (its !== undefined && (oldest === undefined || its.since < oldest.since)) oldest = its;
    }
    return oldest === undefined ? { waiting } : { waiting, oldest: this.described(oldest) };
  }

  private described({ message, since, problem }: OldestRow): OldestOutboxMessage {
    const { link, keyText, totalCount } = this.parts;
    return {
      age: link.clock.now() - since,
      destination: keyText(message.key),
      shard: shardOfEncoded(message.key, totalCount),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  /** What former processes left is sent from now on. */
  start(): void {
    this.producer?.outbox.start();
  }

  /** A message came that cannot be told from another one. */
  cameWithoutId(keyText: string): void {
    if (this.withoutId++ > 0) return;
    this.link.log.warn(
      `A message of the key ${keyText} came without an id: it may be handled twice, since the store cannot tell whether it was. Let its producer give each message a messageId. Others are counted, not told.`,
      { event: 'messageWithoutId' },
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    this.maintenance?.cancel();
    this.relay.stop();
    this.producer?.outbox.stop();
    for (const fail of this.publishing) fail(closedError());
    await this.link.close();
  }

  private async maintain(open: readonly OpenShard[]): Promise<void> {
    if (this.closed) return;
    try {
      await this.link.connection.maintain(open);
    } catch (error) {
      this.link.failed(error);
    }
  }

  /** Opens the outbox of what services publish; before that nothing is published. */
  async openProducer(lost: (error: Error) => void): Promise<void> {
    const opening = await this.link.connection.openShard(PRODUCER_SHARD);
    this.producer = this.openOutbox(PRODUCER_SHARD, opening, lost);
  }

  /**
   * Commits what a service publishes, in the order of the calls; the transport gets it afterwards.
   * @param timeout milliseconds
   */
  publish(message: Omit<OutboxMessage, 'kind' | 'source'>, timeout: number): Promise<void> {
    if (this.closed) return Promise.reject(closedError());
    const { commits, outbox } = this.producer!;
    const messages = [{ ...message, kind: 'message', source: undefined } as const];
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        timer.cancel();
        this.publishing.delete(fail);
        reject(error);
      };
      const timer = this.link.clock.after(timeout, () => fail(new PublishTimeoutError(timeout, true)));
      this.publishing.add(fail);
      const committed = (at: CommittedAt): void => {
        timer.cancel();
        this.publishing.delete(fail);
        resolve();
        outbox.committed(at, messages);
      };
      const refused = (error: Error): void =>
        fail(new PublishError('refused', `The store refuses the message: ${error.message}`, { cause: error }));
      commits.add(itemOf({ outbox: messages }, { committed, refused }));
    });
  }

  /**
   * Publishes a message with a transaction of the caller's.
   * @throws {NoStoreError} when the store has no transactions
   */
  async enqueue(transaction: unknown, shard: number, message: Omit<OutboxMessage, 'kind' | 'source'>): Promise<void> {
    const { connection } = this.link;
    if (connection.enqueue === undefined) throw new NoStoreError('publish with a transaction');
    await connection.enqueue(transaction, shard, [{ ...message, kind: 'message', source: undefined }]);
  }

  /**
   * The stored state of a key, whoever owns it.
   * @throws {StoreUnavailableError}
   */
  async stored(key: Uint8Array): Promise<LoadedState | undefined> {
    const [stored] = await this.link.connection.load([key]);
    return stored;
  }

  /** The rows that go with the message, which is finished. */
  rowsOf(id: string, messageId: string | undefined): OutboxPosition[] {
    if (this.rows.size === 0 || messageId === undefined) return []; // There are none where the transport keeps messages.
    const rows = this.rows.get(rowKey(id, messageId));
    const row = rows?.shift();
    if (rows?.length === 0) this.rows.delete(rowKey(id, messageId));
    return row === undefined ? [] : [row];
  }

  /** The message is not finished after all. */
  keepRows(id: string, messageId: string | undefined, rows: readonly OutboxPosition[]): void {
    if (messageId === undefined || rows.length === 0) return;
    const key = rowKey(id, messageId);
    this.rows.set(key, [...rows, ...(this.rows.get(key) ?? [])]);
  }

  /**
   * What an epoch of a shard commits and publishes.
   * @param lost called when the epoch cannot go on
   */
  openOutbox(shard: number, opening: ShardOpening, lost: (error: Error) => void) {
    const commits = new ShardCommits(shard, opening, this.committer, lost);
    const outbox = new OutboxSender(commits, { ...this.parts, taken: (row) => this.taken(row) });
    for (const sender of this.senders) if (sender.over) this.senders.delete(sender);
    this.senders.add(outbox);
    if (shard !== PRODUCER_SHARD) this.relay.add({ commits, outbox });
    return { commits, outbox };
  }

  private taken({ position, message }: OutboxRow): void {
    const key = rowKey(keyId(message.key), message.messageId);
    const rows = this.rows.get(key);
    if (rows === undefined) this.rows.set(key, [position]);
    else rows.push(position);
  }
}

function closedError(): PublishError {
  return new PublishError('closed', 'The store of the embedded transport is closed: the app has shut down.');
}

function rowKey(id: string, messageId: string): string {
  return `${id}\n${messageId}`;
}
