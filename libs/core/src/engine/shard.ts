import { InvalidShardingKeyError, MississippiError, ShardNotOwnedError } from '../errors/index.js';
import { describe } from '../errors/describe.js';
import type { MississippiEvent } from '../interfaces/events.interface.js';
import type { Delivery, ShardReceiver, ShardSession } from '../transport/transport.interface.js';
import { canonicalKey, decodeShardingKey, inspectKey, keyBytes, keyId, shardOf } from '../keys/sharding-key.js';
import { backoff } from './backoff.js';
import type { Engine } from './engine.js';
import type { HandledMemory } from './handled-memory.js';
import { KeyQueue } from './key-queue.js';
import { KeyTable } from './key-table.js';
import { notes, type DeadLetterReason } from './notes.js';
import { SideQueue } from './side-queue.js';
import type { TrackedMessage } from './tracked-message.js';

/** One epoch of one shard: its keys, and the way back to the transport. */
export class Shard implements ShardReceiver {
  readonly queues = new KeyTable<KeyQueue>();
  readonly side: SideQueue;
  /** The epoch is over: nothing of it can be settled any more. */
  ended = false;
  /** Nothing starts any more. */
  closing = false;
  /** Set when the drain is past its deadline: what starts now, a `terminate` say, has no more than the grace. */
  overdue: Error | undefined;
  private suspended = false;
  private letters = 0;
  private drained: (() => void) | undefined;
  private draining: Promise<void> | undefined;

  constructor(
    readonly engine: Engine,
    readonly session: ShardSession,
    readonly epoch: number,
    readonly memory: HandledMemory,
    private readonly predecessorOf: (key: Uint8Array) => KeyQueue | undefined,
  ) {
    this.side = new SideQueue(session, engine.options.sideQueueLimit, () => this.checkDrained());
    for (const entry of session.parked) {
      this.queue(canonicalKey(entry.key)).tracker.foundParked(entry.mode);
    }
    for (const queue of this.queues.values()) queue.tracker.feed();
  }

  get index(): number {
    return this.session.shard;
  }

  /** Whether an attempt may start at this moment. */
  mayStart(): boolean {
    if (this.closing || this.suspended) return false;
    if (this.session.isCertain?.() !== false) return true;
    this.suspended = true;
    void this.verify();
    return false;
  }

  /** The broker may have given the shard to somebody else: nothing starts until it says that it has not. */
  private async verify(): Promise<void> {
    try {
      await this.session.verify!();
    } catch (error) {
      if (this.ended) return;
      this.lost(error as Error);
      this.session.giveUp(error as Error);
      return;
    }
    this.suspended = false;
    for (const queue of this.queues.values()) queue.trackerChanged();
  }

  // ---- what the transport says

  deliver(delivery: Delivery): void {
    if (this.closing) return; // It stays unsettled and goes to the next owner.
    const queue = this.queueOf(delivery);
    if (queue !== undefined) queue.deliver(delivery, this.memory.recognises(queue.id, delivery));
  }

  lost(cause: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.shut('shardLost', new ShardNotOwnedError(this.index, `(of shard ${this.index}, lost: ${describe(cause)})`));
    this.engine.emit({ type: 'shardLost', shard: this.index, epoch: this.epoch });
  }

  async signal(key: Uint8Array, signal: unknown, timeout: number, started: () => void): Promise<unknown> {
    if (this.closing) throw new ShardNotOwnedError(this.index, inspectKey(key));
    return this.engine.signalHere(this, canonicalKey(key), signal, timeout, started);
  }

  release(): Promise<void> {
    return this.drain('shardReleased', new ShardNotOwnedError(this.index, `(of shard ${this.index}, handed over)`));
  }

  // ---- the end

  /**
   * Lets what runs end and settle, and terminates every data updater. After `drainTimeout` it insists. Whoever calls
   * later, or for a shard that was lost, waits for the same end.
   */
  drain(reason: 'shardReleased' | 'shutdown', error: MississippiError): Promise<void> {
    return (this.draining ??= this.end(reason, error));
  }

  private async end(reason: 'shardReleased' | 'shutdown', error: MississippiError): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.drained = resolve;
    });
    if (!this.closing) this.shut(reason, error);
    this.checkDrained();
    const timer = this.engine.clock.after(this.engine.options.drainTimeout, () => {
      this.overdue = error;
      for (const queue of this.queues.values()) queue.insist(error);
      // What has still not ended a grace later waits for a broker that does not answer.
      this.engine.afterGrace(() => this.lost(error));
    });
    await done;
    timer.cancel();
    if (this.ended) return; // It was lost, and that was told.
    this.ended = true;
    this.engine.emit({ type: 'shardReleased', shard: this.index, epoch: this.epoch });
  }

  /** A key has nothing left. */
  forget(queue: KeyQueue): void {
    this.queues.delete(queue);
    this.checkDrained();
  }

  private shut(reason: 'shardLost' | 'shardReleased' | 'shutdown', error: MississippiError): void {
    this.closing = true;
    this.side.close();
    for (const queue of this.queues.values()) queue.close(reason, error);
    this.engine.closed(this);
    this.checkDrained();
  }

  private checkDrained(): void {
    if (this.drained === undefined || this.queues.size > 0) return;
    if (!this.ended && (this.side.moving > 0 || this.letters > 0)) return;
    this.drained();
    this.drained = undefined;
  }

  // ---- keys

  /** The queue of a canonical key, made on demand. */
  queue(key: Uint8Array): KeyQueue {
    let queue = this.queues.get(key);
    if (queue === undefined) {
      queue = new KeyQueue(this, keyId(key));
      this.queues.add(queue);
      const predecessor = this.predecessorOf(key);
      if (predecessor !== undefined) queue.waitFor(predecessor);
    }
    return queue;
  }

  private queueOf(delivery: Delivery): KeyQueue | undefined {
    if (delivery.key === undefined) {
      this.refuse(delivery, 'key_missing', new Error('the message has no sharding key'), 1);
      return undefined;
    }
    // The spelling on the wire is nearly always the canonical one, so that a known key is found at once.
    const known = this.queues.get(delivery.key);
    if (known !== undefined) return known;
    let canonical: Uint8Array;
    try {
      canonical = canonicalKey(delivery.key);
    } catch (error) {
      this.refuse(delivery, 'key_undecodable', error as InvalidShardingKeyError, 1);
      return undefined;
    }
    const home = shardOf(canonical, this.engine.totalCount);
    if (home !== this.index) {
      const text = `the key belongs to shard ${home} of ${this.engine.totalCount}`;
      this.refuse(delivery, 'wrong_shard', new Error(text), 1);
      return undefined;
    }
    return this.queue(canonical);
  }

  /** A message that belongs to no key of this shard: dead-lettered, while the others go on. */
  private refuse(delivery: Delivery, reason: DeadLetterReason, error: Error, tries: number): void {
    const { engine } = this;
    this.letters++;
    this.session
      .deadLetter(delivery, notes(reason, { error, shard: this.index, time: engine.clock.time(), key: delivery.key }))
      .then(
        () => {
          this.letters--;
          engine.logger.warn(`A message was dead-lettered (${reason}): ${describe(error)}`);
          this.checkDrained();
        },
        () => {
          this.letters--;
          this.checkDrained();
          if (this.closing) return;
          const delay = backoff(tries, engine.options.failurePolicy.backoff, engine.random);
          engine.clock.after(delay, () => {
            if (!this.closing) this.refuse(delivery, reason, error, tries + 1);
          });
        },
      );
  }

  // ---- events

  emitKey(type: string, id: string, details?: object): void {
    if (!this.engine.listening) return;
    this.engine.emit({
      type,
      key: decodeShardingKey(keyBytes(id)),
      shard: this.index,
      epoch: this.epoch,
      ...details,
    } as MississippiEvent);
  }

  emitMessage(type: string, id: string, message: TrackedMessage, attempt: number, details?: object): void {
    this.emitKey(type, id, { messageId: message.messageId, attempt, ...details });
  }
}
