import { SessionEndedError, ShardNotOwnedError, ShuttingDownError } from '../../errors/index.js';
import { shardOfEncoded } from '../../keys/sharding-key.js';
import type { ShardConsumer, ShardReceiver, ShardSession } from '../../transport/transport.interface.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';
import type { DurableInstance } from '../commits/durable-instance.js';
import { openEpoch } from '../commits/open-epoch.js';
import type { KeyQueue } from '../keys/key-queue.js';
import { census, type Census } from './census.js';
import type { EpochSource } from './epoch-source.js';
import type { OwnedShard, ShardParts } from './owned-shard.js';
import { ShardEpochs } from './shard-epochs.js';

/** The shards of one instance: those that this process owns, and those in which something of it still runs. */
export class Shards implements ShardConsumer {
  private readonly byIndex = new Map<number, ShardEpochs>();
  /** What is being opened, the last of each shard: one that is overtaken while it opens has been lost meanwhile. */
  private readonly opening = new Map<number, ShardSession>();
  /** What the store is asked to open, as far as it has not answered. */
  private readonly pending = new Set<Promise<ShardReceiver>>();
  private stopping = false;

  constructor(
    private readonly parts: ShardParts,
    private readonly epochs: EpochSource,
    private readonly durable: DurableInstance | undefined,
  ) {}

  get takesActions(): boolean {
    return this.parts.environment.options.remoteOperator;
  }

  pauseTypes(types: readonly string[]): void {
    const { paused, log } = this.parts.environment;
    const { changed, resumed } = paused.set(types);
    if (!changed) return;
    const { list } = paused;
    const now = list.length === 0 ? 'no types' : `the types ${list.map((type) => JSON.stringify(type)).join(', ')}`;
    log.warn(`An operator has ${now} of messages paused: the keys that reach one are parked at it.`, {
      event: 'typesPaused',
      types: list.join(', '),
    });
    if (resumed) for (const queue of this.queues()) queue.tracker.typesChanged();
  }

  /** Begins an epoch. */
  open(session: ShardSession): ShardReceiver | Promise<ShardReceiver> {
    this.opening.set(session.shard, session);
    if (this.durable !== undefined) {
      const opened = this.openDurably(session, this.durable);
      this.pending.add(opened);
      opened.catch(() => undefined).finally(() => this.pending.delete(opened));
      return opened;
    }
    const number = this.epochs.next(session.shard);
    return typeof number === 'number'
      ? this.begin(session, number, undefined)
      : number.then((given) => this.begin(session, given, undefined));
  }

  private async openDurably(session: ShardSession, durable: DurableInstance): Promise<ShardReceiver> {
    let shard: OwnedShard | undefined;
    const over = (): boolean => this.stopping || this.opening.get(session.shard) !== session;
    const opened = await openEpoch(durable, session, over, (error) => shard?.giveUp(error));
    shard = this.begin(session, opened.commits.epoch, opened);
    opened.outbox.start();
    return shard;
  }

  /** Resolves when all that is being opened at present is open, or given up. */
  async opened(): Promise<void> {
    await Promise.allSettled(this.pending);
  }

  /** Which shard a key belongs to. */
  indexOf(key: Uint8Array): number {
    return shardOfEncoded(key, this.parts.totalCount);
  }

  /** The shard, if this process owns it. */
  owned(index: number): OwnedShard | undefined {
    return this.byIndex.get(index)?.current;
  }

  /**
   * The shard of a key, in this process.
   * @throws {ShardNotOwnedError}
   * @throws {ShuttingDownError}
   */
  ownedBy(key: Uint8Array): OwnedShard {
    if (this.stopping) throw new ShuttingDownError('A message or signal');
    const index = this.indexOf(key);
    const shard = this.owned(index);
    if (shard === undefined) {
      const { environment, crosses } = this.parts;
      throw new ShardNotOwnedError(index, environment.keyText(key), crosses);
    }
    return shard;
  }

  /** The shards that this process owns. */
  get all(): OwnedShard[] {
    return [...this.byIndex.values()].flatMap(({ current }) => current ?? []);
  }

  /** Indexes of the shards that this process owns, in order; those among them that it hands over, as long as something of them runs. */
  get indexes(): number[] {
    return [...this.byIndex].flatMap(([index, { held }]) => (held ? [index] : [])).sort((a, b) => a - b);
  }

  *queues(): Generator<KeyQueue> {
    for (const epochs of this.byIndex.values()) yield* epochs.queues();
  }

  census(): Census {
    return census(this.byIndex.values(), this.parts.environment.clock.now());
  }

  /** The epochs that this process has open in the store. */
  get epochsOpen(): { readonly shard: number; readonly epoch: number }[] {
    return this.all.map(({ index, epoch }) => ({ shard: index, epoch }));
  }

  /** None of the shards can go on. */
  giveUp(cause: Error): void {
    for (const shard of this.all) shard.giveUp(cause);
  }

  /** Whether a callback runs. */
  get busy(): boolean {
    for (const queue of this.queues()) if (queue.running) return true;
    return false;
  }

  /**
   * Takes nothing new, lets what runs end, and gives the shards back.
   * @param within milliseconds until it insists
   */
  async drain(within: number): Promise<void> {
    this.stopping = true;
    const error = new ShuttingDownError('A message or signal');
    // Callbacks of former epochs may run still, and want what the app is about to close.
    const shards = [...this.byIndex.values()].flatMap(({ all, current }) =>
      all.map((shard) => ({ shard, owned: shard === current })),
    );
    await Promise.all(
      shards.map(async ({ shard, owned }) => {
        await shard.drain('shutdown', error, within);
        if (owned) await shard.close();
      }),
    );
  }

  private begin(session: ShardSession, number: number, durable: DurableEpoch | undefined): OwnedShard {
    if (this.stopping) throw new ShuttingDownError(`Shard ${session.shard}`);
    if (this.opening.get(session.shard) !== session) throw new SessionEndedError(session.shard);
    this.opening.delete(session.shard);
    let epochs = this.byIndex.get(session.shard);
    if (epochs === undefined) {
      epochs = new ShardEpochs(this.parts);
      this.byIndex.set(session.shard, epochs);
    }
    return epochs.open(session, number, durable);
  }
}
