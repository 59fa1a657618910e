import { randomBytes } from 'node:crypto';
import type { CommitResolution, LostCommit, ShardCommit, ShardOpening } from '../store.interface.js';

/** The row of a shard: which commit it is at, and by whom. A shard that was never opened has the epoch 0, which nobody owns. */
export class ShardFence {
  epoch = 0;
  number = 0;
  token: Uint8Array = randomBytes(16);

  open(): ShardOpening {
    this.number = 0;
    this.token = randomBytes(16);
    return { epoch: ++this.epoch, token: Buffer.from(this.token) };
  }

  /** Whether the commit is the shard's next. Compared for equality: after a backup was restored a former owner has a higher epoch. */
  admits({ epoch, number, previous }: Pick<ShardCommit, 'epoch' | 'number' | 'previous'>): boolean {
    if (epoch === 0 || epoch !== this.epoch || number !== this.number + 1) return false;
    return Buffer.compare(previous, this.token) === 0;
  }

  pass({ number, token }: Pick<ShardCommit, 'number' | 'token'>): void {
    this.number = number;
    this.token = token;
  }

  resolve(commit: LostCommit): CommitResolution {
    if (this.admits(commit)) this.pass({ number: commit.number, token: commit.voidToken });
    if (commit.epoch !== this.epoch || commit.number !== this.number) return 'stale';
    if (Buffer.compare(this.token, commit.token) === 0) return 'committed';
    return Buffer.compare(this.token, commit.voidToken) === 0 ? 'void' : 'stale';
  }
}
