import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { LostCommit, ShardCommit, ShardOpening, StateChange, StoreConnection } from '@mississippi/core/store';

/** What a commit may be made of. */
export type CommitParts = Partial<Pick<ShardCommit, 'states' | 'audit' | 'handled' | 'outbox' | 'sent' | 'taken'>>;

/** Whoever has opened a shard, and counts its commits. */
export class ShardOwner {
  readonly epoch: number;
  /** Number of the last commit that {@link next} made, and its token. */
  number = 0;
  private token: Uint8Array;

  constructor(
    readonly connection: StoreConnection,
    readonly shard: number,
    opening: ShardOpening,
  ) {
    this.epoch = opening.epoch;
    this.token = opening.token;
  }

  /** The next commit, which is not sent yet. */
  next({ states = [], audit = [], handled = [], outbox = [], sent = [], taken = [] }: CommitParts = {}): ShardCommit {
    const { shard, epoch, token: previous } = this;
    this.token = randomBytes(16);
    return {
      shard,
      epoch,
      number: ++this.number,
      previous,
      token: this.token,
      states,
      audit,
      handled,
      outbox,
      sent,
      taken,
    };
  }

  /** A commit that {@link next} made as the last did not happen: the next one takes its place. */
  takeBack(commit: ShardCommit): void {
    assert.equal(commit.number, this.number, 'the last commit alone can be taken back');
    this.number--;
    this.token = commit.previous;
  }

  /** Another than the last commit has happened in its place, or it was made void. */
  follow({ number, token }: Pick<ShardCommit, 'number' | 'token'>): void {
    this.number = number;
    this.token = token;
  }

  /** Makes the next commit, which must succeed. */
  async commit(parts?: CommitParts): Promise<ShardCommit> {
    const commit = this.next(parts);
    assert.deepEqual(
      await this.connection.commit([commit]),
      ['committed'],
      `commit ${commit.number} of epoch ${this.epoch} of shard ${this.shard}`,
    );
    return commit;
  }

  /** Writes a state. */
  put(key: Uint8Array, text: string, options?: Partial<StateChange>): Promise<ShardCommit> {
    return this.commit({ states: [stateOf(key, text, options)] });
  }

  /** Makes the next commit void. */
  async makeVoid(parts?: CommitParts): Promise<ShardCommit> {
    const commit = this.next(parts);
    const lost = lostOf(commit);
    assert.equal(await this.connection.resolve(lost), 'void', 'what became of a commit that was not sent');
    this.follow({ number: commit.number, token: lost.voidToken });
    return commit;
  }
}

/** A commit as it is asked for. */
export function lostOf({ shard, epoch, number, previous, token }: ShardCommit): LostCommit {
  return { shard, epoch, number, previous, token, voidToken: randomBytes(16) };
}

/** A state of some text. */
export function stateOf(key: Uint8Array, text: string, options: Partial<StateChange> = {}): StateChange {
  return { key, state: { bytes: Buffer.from(text), version: 0 }, ttl: undefined, ...options };
}

/** A token that differs in one bit. */
export function flipped(token: Uint8Array, index: number): Uint8Array {
  const copy = Buffer.from(token);
  copy[index] = copy[index]! ^ 1;
  return copy;
}
