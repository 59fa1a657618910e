import type { Timer } from '../../clock/clock.interface.js';
import type { EnqueuedMessage } from '../../store/store.interface.js';
import { itemOf, type CommittedAt } from './commit-item.js';
import type { OutboxSender } from './outbox-sender.js';
import type { ShardCommits } from './shard-commits.js';
import type { StoreLink } from './store-link.js';

/** How long after a look that found nothing the next one is. Milliseconds. */
const INTERVAL = 250;
/** Messages at one look. */
const MOST = 1_000;

/** A shard that this process owns, as far as relaying goes. */
export interface RelayedShard {
  readonly commits: ShardCommits;
  readonly outbox: OutboxSender;
}

/**
 * Takes over what services published in transactions of their own: the owner of a message's shard moves it into the shard's
 * outbox, in a commit, so that it leaves once and in order.
 */
export class Relay {
  private readonly shards = new Map<number, RelayedShard>();
  private timer: Timer | undefined;
  private stopped = false;

  constructor(private readonly link: StoreLink) {}

  add(shard: RelayedShard): void {
    this.shards.set(shard.commits.shard, shard);
    if (this.timer === undefined && !this.stopped && this.link.connection.enqueued !== undefined) this.lookLater();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private lookLater(): void {
    this.timer = this.link.clock.after(INTERVAL, () => void this.look(), true);
  }

  private async look(): Promise<void> {
    const { link } = this;
    for (;;) {
      for (const [index, { commits }] of this.shards) if (commits.over) this.shards.delete(index);
      const indexes = [...this.shards.keys()];
      const found =
        indexes.length === 0
          ? []
          : await link.ask(
              () => link.connection.enqueued!(indexes, MOST),
              () => this.stopped,
            );
      if (found === undefined || this.stopped) return;
      await this.take(found);
      if (found.length < MOST) break;
    }
    if (!this.stopped) this.lookLater();
  }

  /** Resolves when what was found is in the outboxes of its shards, or has to be looked for again. */
  private async take(found: readonly EnqueuedMessage[]): Promise<void> {
    const byShard = new Map<number, EnqueuedMessage[]>();
    for (const message of found) {
      const list = byShard.get(message.shard);
      if (list === undefined) byShard.set(message.shard, [message]);
      else list.push(message);
    }
    await Promise.all([...byShard].map(([shard, messages]) => this.move(shard, messages)));
  }

  private move(index: number, enqueued: readonly EnqueuedMessage[]): Promise<void> {
    const shard = this.shards.get(index);
    if (shard === undefined || shard.commits.over) return Promise.resolve();
    const { commits, outbox } = shard;
    const messages = enqueued.map(({ message }) => message);
    return new Promise((resolve) => {
      const forget = commits.whenOver(resolve);
      const done = (): void => {
        forget();
        resolve();
      };
      const changes = { outbox: messages, taken: enqueued.map(({ id }) => id) };
      const committed = (at: CommittedAt): void => {
        outbox.committed(at, messages);
        done();
      };
      commits.add(itemOf(changes, { committed, refused: done })); // Refused, they stay where they are; the error is in the log.
    });
  }
}
