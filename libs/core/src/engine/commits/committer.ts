import { describe } from '../../errors/describe.js';
import { CommitRefusedError, StaleEpochError, StoreBusyError, StoreUnavailableError } from '../../errors/index.js';
import type { CommitVerdict } from '../../store/store.interface.js';
import { runNeutrally } from '../base/neutral-context.js';
import { itemOf, type CommitItem } from './commit-item.js';
import { MOST_ITEMS, type CommitTaker, type NextCommit, type ShardCommits } from './shard-commits.js';
import type { StoreLink } from './store-link.js';

/** Groups under way at once. More than a few make each of them smaller, and the store slower. */
const MOST_GROUPS = 4;
/** How often a group that the store is too busy for is tried before it is halved. */
const MOST_BUSY = 4;

/** Nobody waits for it. */
const NOTHING = itemOf({});

/** What one shard brings into a group. */
interface Part {
  readonly shard: ShardCommits;
  readonly items: readonly CommitItem[];
}

interface Numbered extends Part {
  readonly commit: NextCommit;
}

/** While it lasts the store is not taken to be well again for an answer to a question. */
class Trouble {
  private taken: (() => void) | undefined;

  constructor(private readonly link: StoreLink) {}

  begin(): void {
    this.taken ??= this.link.untook();
  }

  end(): void {
    this.taken?.();
    this.taken = undefined;
  }
}

/**
 * Commits what waits of all shards, together: each group takes the shards that have no commit under way. While one is under
 * way the next one grows, so that a slow store gets larger groups, not more of them.
 */
export class Committer implements CommitTaker {
  private readonly requested = new Set<ShardCommits>();
  private groups = 0;
  private scheduled = false;
  /** Whether a transaction of a handler's has the store's only session. */
  private reserved = false;
  private readonly seekers: (() => void)[] = [];

  constructor(private readonly link: StoreLink) {}

  request(shard: ShardCommits): void {
    this.requested.add(shard);
    if (this.scheduled) return;
    this.scheduled = true;
    // What this round of the event loop brings goes together, on behalf of all of it.
    runNeutrally(() =>
      this.link.clock.soon(() => {
        this.scheduled = false;
        this.start();
      }),
    );
  }

  /**
   * Waits until no commit is under way, and lets none but transactions of handlers begin until the session is given back.
   * @returns what gives it back, once
   */
  async reserve(): Promise<() => void> {
    await new Promise<void>((resolve) => {
      this.seekers.push(resolve);
      this.grant();
    });
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.reserved = false;
      this.grant();
      this.start();
    };
  }

  private grant(): void {
    if (this.reserved || this.groups > 0) return;
    const seeker = this.seekers.shift();
    this.reserved = seeker !== undefined;
    seeker?.();
  }

  private start(): void {
    if (this.reserved || this.seekers.length > 0) {
      this.commitTransactions();
      return;
    }
    this.startTransactions();
    while (this.groups < MOST_GROUPS && this.requested.size > 0) {
      const group = this.nextGroup();
      if (group.length === 0) return;
      this.run(group);
    }
  }

  /** Those of handlers have connections of their own, which nobody else needs: as many go at once as there are. */
  private startTransactions(): void {
    for (const shard of this.requested) {
      if (!shard.transacts) continue;
      this.requested.delete(shard);
      void this.finish([{ shard, items: shard.take() }]);
    }
  }

  /** Only the transaction that has the session can be committed. */
  private commitTransactions(): void {
    for (const shard of this.requested) {
      const items = shard.takeTransaction();
      if (items.length > 0) this.run([{ shard, items }]);
    }
  }

  private run(group: readonly Part[]): void {
    this.groups++;
    void this.finish(group).then(() => {
      this.groups--;
      this.grant();
      this.start();
    });
  }

  /** A shard that a fault of ours befalls begins afresh, rather than to wait for ever. */
  private async finish(group: readonly Part[]): Promise<void> {
    try {
      await this.commit(group);
    } catch (error) {
      for (const { shard } of group) shard.stale(error as Error);
    }
    for (const { shard } of group) shard.free();
  }

  private nextGroup(): Part[] {
    const parts: Part[] = [];
    let count = 0;
    for (const shard of this.requested) {
      this.requested.delete(shard);
      if (!shard.ready) continue;
      const items = shard.take();
      if (items.length === 0) continue;
      parts.push({ shard, items });
      count += items.length;
      if (count >= MOST_ITEMS) break;
    }
    return parts;
  }

  /** Commits until each item has its end; never rejects. */
  private async commit(group: readonly Part[]): Promise<void> {
    const trouble = new Trouble(this.link);
    try {
      await this.commitAll(group, trouble);
    } finally {
      trouble.end();
    }
  }

  private async commitAll(group: readonly Part[], trouble: Trouble): Promise<void> {
    let parts = group;
    for (let tries = 1; parts.length > 0; tries++) {
      const numbered = this.number(parts);
      if (numbered.length === 0) return;
      let verdicts: readonly CommitVerdict[] | undefined;
      try {
        verdicts = await this.send(numbered);
      } catch (error) {
        const busy = error instanceof StoreBusyError;
        const [first] = numbered[0]!.items;
        if (first!.changes.transaction !== undefined && (busy || error instanceof CommitRefusedError)) {
          first!.refused(error); // It is over, and the handler has to run again.
          return;
        }
        trouble.begin();
        if (error instanceof CommitRefusedError || (busy && tries >= MOST_BUSY)) {
          if (await this.halve(numbered, error)) return;
        } else {
          parts = busy ? numbered : await this.resolve(numbered);
        }
        for (const { items } of parts) for (const item of items) item.postponed?.();
        this.link.failed(error);
        await this.link.pause(tries);
      }
      if (verdicts === undefined) continue;
      trouble.end();
      this.link.committed();
      const answers = verdicts;
      numbered.forEach((part, index) => this.ended(part, answers[index]!));
      return;
    }
  }

  /** Gives each part its number. What has nothing to write, or no epoch any more, has its end here. */
  private number(parts: readonly Part[]): Numbered[] {
    const numbered: Numbered[] = [];
    for (const { shard, items } of parts) {
      const left = items.filter(({ dropped }) => !dropped);
      if (shard.over || left.length === 0) continue;
      const commit = shard.commitOf(left);
      if (commit === undefined) for (const item of left) item.committed({ number: shard.number, firstRow: 0 });
      else numbered.push({ shard, items: left, commit });
    }
    return numbered;
  }

  private async send(parts: readonly Numbered[]): Promise<readonly CommitVerdict[]> {
    const { clock, telemetry } = this.link;
    if (telemetry?.active !== true) return this.put(parts);
    const begun = clock.now();
    const group = () => ({
      size: parts.reduce((sum, { items }) => sum + items.length, 0),
      duration: clock.now() - begun,
    });
    try {
      const verdicts = await this.put(parts);
      telemetry.committed(group());
      return verdicts;
    } catch (error) {
      telemetry.committed({ ...group(), error });
      throw error;
    }
  }

  private async put(parts: readonly Numbered[]): Promise<readonly CommitVerdict[]> {
    const { transaction } = parts[0]!.items[0]!.changes;
    return transaction === undefined
      ? this.link.connection.commit(parts.map(({ commit }) => commit))
      : [await transaction.commit(parts[0]!.commit)];
  }

  private ended({ shard, items, commit }: Numbered, verdict: CommitVerdict): void {
    if (verdict === 'stale') {
      shard.stale(new StaleEpochError(shard.shard, shard.epoch));
      return;
    }
    shard.passed(commit.number, commit.token);
    items.forEach((item, index) => item.committed({ number: commit.number, firstRow: commit.firstRows[index]! }));
  }

  /** Finds out what became of a group whose answer was lost. Returns what has to be committed again. */
  private async resolve(parts: readonly Numbered[]): Promise<Part[]> {
    const again: Part[] = [];
    for (const part of parts) {
      const { shard, commit, items } = part;
      const resolution = await this.link.ask(
        () => this.link.connection.resolve(commit),
        () => shard.over,
      );
      if (resolution === undefined) continue; // The epoch has ended.
      if (resolution === 'void') {
        shard.passed(commit.number, commit.voidToken);
        // What a handler wrote in its transaction is gone, so it has to run again.
        if (items[0]!.changes.transaction === undefined) again.push({ shard, items });
        else
          items[0]!.refused(new StoreUnavailableError('The connection of the transaction was lost before its commit.'));
      } else {
        this.ended(part, resolution);
      }
    }
    return again;
  }

  /**
   * Finds the item that the store refuses. What is before it is committed first, since what is behind it may stand on it.
   * @returns whether each has its end; a store that refuses everything is as good as away
   */
  private async halve(parts: readonly Numbered[], error: unknown): Promise<boolean> {
    if (parts.length > 1) {
      const half = parts.length >> 1;
      await this.commit(parts.slice(0, half));
      await this.commit(parts.slice(half));
      return true;
    }
    const { shard, items } = parts[0]!;
    if (items.length > 1) {
      const half = items.length >> 1;
      await this.commit([{ shard, items: items.slice(0, half) }]);
      await this.commit([{ shard, items: items.slice(half) }]);
      return true;
    }
    if (!(error instanceof CommitRefusedError) || !(await this.acceptsNothing(shard))) return false;
    if (shard.over) return true;
    this.link.log.error(
      `The store refused a commit of shard ${shard.shard}: ${describe(error)}`,
      { event: 'commitRefused', shard: shard.shard, epoch: shard.epoch },
      error,
    );
    if (error.reason === 'known') shard.stale(error);
    else items[0]!.refused(error);
    return true;
  }

  /** Whether the store takes a commit with nothing in it, so that what it refused was refused for its content. */
  private async acceptsNothing(shard: ShardCommits): Promise<boolean> {
    const commit = shard.emptyCommit();
    try {
      this.ended({ shard, items: [], commit }, (await this.link.connection.commit([commit]))[0]!);
      return true;
    } catch (error) {
      if (error instanceof CommitRefusedError || error instanceof StoreBusyError) return false;
      await this.resolve([{ shard, items: [NOTHING], commit }]);
      return false;
    }
  }
}
