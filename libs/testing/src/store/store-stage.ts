import assert from 'node:assert/strict';
import { CommitRefusedError, systemClock, StoreBusyError } from '@mississippi/core';
import type {
  InboxEntry,
  MessageIdentity,
  OutboxMessage,
  OutboxRow,
  StoreConnection,
  StoreContext,
  StoreTransaction,
} from '@mississippi/core/store';
import { inspectKey } from '@mississippi/core/transport';
import { assertBytes } from '../conformance/assertions.js';
import { Journal } from '../conformance/journal.js';
import { keysOfShard } from '../conformance/keys.js';
import { bounded } from './bounded.js';
import { ShardOwner } from './shard-owner.js';
import type { StoreHarness } from './store-harness.js';

const SHARDS = { transport: 'conformance', totalCount: 8, hash: 'phash2' };
const A_DAY = 24 * 3_600_000;
const SOME_DAY = 1_700_000_000;
/** Times that a store may be busy with one thing. */
const MOST_TRIES = 100;
/** Milliseconds between two looks at what changes by time alone. */
const LOOK = 10;

/** What one case plays with: a fresh database, and connections to it. */
export class StoreStage {
  readonly journal: Journal;
  /** As the case has them, and as the harness gave them. */
  private readonly connections = new Map<StoreConnection, StoreConnection>();
  private made = 0;

  constructor(readonly harness: StoreHarness) {
    this.journal = new Journal(harness.within);
  }

  /** A connection, as another process would open it. */
  async connect(context: Partial<StoreContext> = {}): Promise<StoreConnection> {
    const opening = this.harness.connect({
      instance: 'conformance',
      logger: { log: () => undefined, warn: () => undefined, error: () => undefined },
      keyText: inspectKey,
      clock: systemClock,
      shards: SHARDS,
      exclusive: false,
      inboxHorizon: A_DAY,
      settleTime: A_DAY,
      ...context,
    });
    const connection = await this.journal.settled('connect', opening);
    const watched = bounded(connection, String.fromCharCode(65 + this.connections.size), this.journal);
    this.connections.set(watched, connection);
    return watched;
  }

  /** Ends a connection as a killed process would. */
  async crash(connection: StoreConnection): Promise<void> {
    assert.ok(this.harness.crash !== undefined, 'the case must need crash');
    await this.journal.settled('crash', this.harness.crash(this.connections.get(connection)!));
  }

  /** Opens a shard. */
  async own(connection: StoreConnection, shard = 0): Promise<ShardOwner> {
    return new ShardOwner(connection, shard, await this.persist(() => connection.openShard(shard)));
  }

  /** A connection that has opened a shard. */
  async owner(shard = 0): Promise<ShardOwner> {
    return this.own(await this.connect(), shard);
  }

  /** Asks again as often as the store is busy, as it may be when several write at once. */
  async persist<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof StoreBusyError) || tries === MOST_TRIES) throw error;
      }
    }
  }

  /** Begins a transaction. */
  async begin(connection: StoreConnection): Promise<StoreTransaction> {
    assert.ok(connection.begin !== undefined, 'a store without begin must list transactions as unsupported');
    return bounded(await connection.begin(), 'transaction', this.journal);
  }

  /** Writes by a transaction's client. */
  async write(transaction: StoreTransaction, name: string, value: string): Promise<void> {
    assert.ok(this.harness.write !== undefined, 'the case must need transactions');
    await this.journal.settled(`write to ${name}`, this.harness.write(transaction.client, name, value));
  }

  /** Does by a transaction's client what the database refuses. */
  async fail(transaction: StoreTransaction): Promise<void> {
    assert.ok(this.harness.fail !== undefined, 'the case must need transactions');
    await this.journal.settled('the refused write', this.harness.fail(transaction.client));
  }

  /** Asserts what others see under a name that transactions write to. */
  async assertWritten(name: string, expected: string | undefined, what: string): Promise<void> {
    assert.ok(this.harness.written !== undefined, 'the case must need transactions');
    assert.equal(await this.harness.written(name), expected, what);
  }

  async cut(): Promise<void> {
    assert.ok(this.harness.cut !== undefined, 'the case must need cut');
    await this.journal.settled('cut', this.harness.cut());
  }

  /** The error of a call, which must be of a class. */
  async rejected<E extends Error>(
    call: () => Promise<unknown>,
    kind: new (...args: never[]) => E,
    what: string,
  ): Promise<E> {
    const error: unknown = await call().then(
      (value) => assert.fail(`${what} must be rejected, but resolved with ${JSON.stringify(value)}`),
      (reason: unknown) => reason,
    );
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(error instanceof kind, `${what} must be rejected with ${kind.name}, not ${String(error)}`);
    return error;
  }

  /** Asserts that a commit is refused, and why. */
  async refused(call: () => Promise<unknown>, reason: CommitRefusedError['reason'], what: string): Promise<void> {
    const error = await this.rejected(call, CommitRefusedError, what);
    assert.equal(error.reason, reason, `the reason for which ${what} is refused`);
  }

  /** Looks again and again until something has changed by time. */
  async becomes(what: string, look: () => Promise<boolean>): Promise<void> {
    const begun = Date.now();
    while (!(await look())) {
      if (Date.now() - begun > this.harness.within) assert.fail(`${this.harness.within} ms were too short for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }

  /** Ends what the case has left. */
  async finish(): Promise<void> {
    for (const connection of this.connections.keys()) await connection.close();
  }

  // ---- things

  /** The first keys of a shard. */
  keys(count: number, shard = 0): Uint8Array[] {
    return keysOfShard(shard, SHARDS.totalCount, count);
  }

  key(shard = 0): Uint8Array {
    return this.keys(1, shard)[0]!;
  }

  entry(parts: Partial<InboxEntry> = {}): InboxEntry {
    const made = ++this.made;
    const payloadHash = Buffer.alloc(16, made);
    return { key: this.key(), messageId: `m${made}`, payloadHash, outcome: 'handled', replay: 0, ...parts };
  }

  message(parts: Partial<OutboxMessage> = {}): OutboxMessage {
    const made = ++this.made;
    return {
      kind: 'message',
      source: this.key(),
      key: this.key(1),
      messageId: `out ${made}`,
      timestamp: SOME_DAY + made,
      headers: { about: `out ${made}` },
      body: Buffer.from(`body ${made}`),
      ...parts,
    };
  }

  messages(count: number): OutboxMessage[] {
    return Array.from({ length: count }, () => this.message());
  }

  // ---- what is stored

  /** Asserts a key's state. */
  async assertState(
    connection: StoreConnection,
    key: Uint8Array,
    text: string | undefined,
    what: string,
  ): Promise<void> {
    const [state] = await connection.load([key]);
    assertBytes(state?.bytes, text === undefined ? undefined : Buffer.from(text), what);
  }

  /** Asserts what the inbox knows of a message. */
  async assertEntry(
    connection: StoreConnection,
    message: MessageIdentity,
    expected: InboxEntry | undefined,
    what: string,
  ): Promise<void> {
    const [entry] = await connection.lookUp([message]);
    assertSameEntry(entry, expected, what);
  }

  /** All rows of a shard's outbox. */
  outbox(connection: StoreConnection, shard = 0): Promise<readonly OutboxRow[]> {
    return connection.outbox(shard, undefined, 10_000);
  }

  /** Asserts which messages are in a shard's outbox, in order. */
  async assertOutbox(
    connection: StoreConnection,
    expected: readonly Pick<OutboxMessage, 'messageId'>[],
    what: string,
    shard = 0,
  ): Promise<void> {
    const rows = await this.outbox(connection, shard);
    assert.deepEqual(
      rows.map(({ message }) => message.messageId),
      expected.map(({ messageId }) => messageId),
      what,
    );
  }
}

export function assertSameEntry(actual: InboxEntry | undefined, expected: InboxEntry | undefined, what: string): void {
  assert.equal(actual === undefined, expected === undefined, `${what}: whether there is an entry`);
  if (actual === undefined || expected === undefined) return;
  assertBytes(actual.key, expected.key, `${what}: the key`);
  assertBytes(actual.payloadHash, expected.payloadHash, `${what}: the payload's hash`);
  const { messageId, outcome, replay } = expected;
  assert.deepEqual(
    { messageId: actual.messageId, outcome: actual.outcome, replay: actual.replay },
    { messageId, outcome, replay },
    what,
  );
}
