import { CommitRefusedError } from '../../errors/index.js';
import { keyId } from '../../keys/sharding-key.js';
import { AuditTable } from './audit-table.js';
import { identityOf, InboxTable } from './inbox-table.js';
import { OutboxTable } from './outbox-table.js';
import { ShardFence } from './shard-fence.js';
import { StateTable } from './state-table.js';
import type { CommitVerdict, EnqueuedMessage, OutboxMessage, ShardCommit, StoreContext } from '../store.interface.js';

/** All that is kept of one instance of the module. */
export class InstanceTables {
  readonly states = new StateTable();
  readonly audit = new AuditTable();
  readonly inbox = new InboxTable();
  /** What services published in transactions of their own, in the order of the commits. */
  readonly enqueued = new Map<string, Omit<EnqueuedMessage, 'id'>>();
  private enqueuedCount = 0;
  /** Who has the instance for itself. */
  holder: object | undefined;
  private readonly fences = new Map<number, ShardFence>();
  private readonly outboxes = new Map<number, OutboxTable>();

  /** @param shards what the instance's shards are, as the first connection said */
  constructor(readonly shards: StoreContext['shards']) {}

  fence(shard: number): ShardFence {
    return entryOf(this.fences, shard, () => new ShardFence());
  }

  outbox(shard: number): OutboxTable {
    return entryOf(this.outboxes, shard, () => new OutboxTable());
  }

  enqueue(shard: number, messages: readonly OutboxMessage[]): void {
    for (const message of messages) this.enqueued.set(String(++this.enqueuedCount), { shard, message });
  }

  /**
   * @param commits belong to the tables from now on
   * @param time Unix time in milliseconds
   * @throws {CommitRefusedError} when one of those that are not stale cannot be written: then none was
   */
  commit(commits: readonly ShardCommit[], time: number): CommitVerdict[] {
    const verdicts = commits.map((commit): CommitVerdict => {
      return this.fence(commit.shard).admits(commit) ? 'committed' : 'stale';
    });
    const current = commits.filter((_commit, index) => verdicts[index] === 'committed');
    this.check(current);
    for (const commit of current) this.write(commit, time);
    return verdicts;
  }

  private check(commits: readonly ShardCommit[]): void {
    const what = 'in one transaction there may be only one';
    checkDistinct(commits, ({ shard }) => shard, `${what} commit of a shard`);
    const states = commits.flatMap((commit) => commit.states);
    checkDistinct(states, ({ key }) => keyId(key), `${what} state of a key`);
    const handled = commits.flatMap((commit) => commit.handled);
    checkDistinct(handled, identityOf, `${what} entry of a message`);
    for (const entry of handled) {
      if (!this.inbox.admits(entry)) {
        throw new CommitRefusedError(
          'known',
          `The inbox has the message ${JSON.stringify(entry.messageId)} of this key already.`,
        );
      }
    }
  }

  private write(commit: ShardCommit, time: number): void {
    const { shard, epoch, number } = commit;
    this.fence(shard).pass(commit);
    const revisions = new Map<string, number | undefined>();
    for (const change of commit.states) revisions.set(keyId(change.key), this.states.write(change, time));
    for (const audit of commit.audit) this.audit.write(audit, revisions.get(keyId(audit.key)), time);
    for (const entry of commit.handled) this.inbox.write(entry);
    for (const position of commit.sent) this.outbox(position.shard).remove(position);
    for (const id of commit.taken) this.enqueued.delete(id);
    commit.outbox.forEach((message, index) => {
      this.outbox(shard).write({ shard, epoch, commit: number, index }, message);
    });
  }
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function checkDistinct<T>(items: readonly T[], identity: (item: T) => unknown, rule: string): void {
  if (new Set(items.map(identity)).size < items.length) throw new CommitRefusedError('content', `Refused: ${rule}.`);
}
