import type { LoggerService } from '@nestjs/common';
import { Subject, type Observable } from 'rxjs';
import {
  InvalidOptionsError,
  KeyNotParkedError,
  NotStartedError,
  OwnKeyError,
  ShardNotOwnedError,
  ShuttingDownError,
  SignalTimeoutError,
} from '../errors/index.js';
import type { DataUpdaterHandler } from '../interfaces/data-updater-handler.interface.js';
import type { MississippiEvent } from '../interfaces/events.interface.js';
import type { PayloadCodec } from '../interfaces/payload-codec.interface.js';
import type {
  ShardConsumer,
  ShardReceiver,
  ShardSession,
  Transport,
  TransportConnection,
} from '../transport/transport.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import type { ProcessInfo } from '../interfaces/status.interface.js';
import { inspectKey, shardOf } from '../keys/sharding-key.js';
import type { ResolvedOptions } from '../mississippi.options.js';
import type { MessageOutcome } from '../outcomes.js';
import { codecOf } from '../payload/payload-format.js';
import { PayloadReader } from '../payload/payload-reader.js';
import { Callbacks, GRACE } from './callbacks.js';
import { insideCallbackOf } from './callback-scope.js';
import type { Clock } from '../clock/clock.interface.js';
import { systemClock } from '../clock/system-clock.js';
import { DeadlineList } from './deadline-list.js';
import { AttemptSlots } from './attempt-slots.js';
import type { KeyQueue } from './key-queue.js';
import { LanePool } from './lane.js';
import type { DataUpdaterRef, LiveKey } from '../interfaces/live-key.interface.js';
import { PendingSignal } from './pending-signal.js';
import type { ProducerPort } from './producer-port.js';
import { Round } from './round.js';
import type { Shard } from './shard.js';
import { ShardSlot } from './shard-slot.js';
import { census } from './status.js';
import type { EngineStatus } from '../interfaces/status.interface.js';
import { DirectTrackedMessage } from './tracked-message.js';

/** What an engine needs besides its options. */
export interface EngineParts {
  readonly options: ResolvedOptions;
  /** Missing in producer-only apps. */
  readonly handler: DataUpdaterHandler | undefined;
  /** Class name of the handler, for errors. */
  readonly handlerName: string;
  readonly logger: LoggerService;
  /** Where events go; completed by `stop`. */
  readonly events?: Subject<MississippiEvent>;
  readonly clock?: Clock;
  /** From 0 to below 1, for the jitter of backoffs. */
  readonly random?: () => number;
}

/** A direct message as the service takes it. */
export interface DirectMessageInput {
  readonly payload: unknown;
  readonly headers?: MessageHeaders;
  readonly messageId?: string;
  readonly timestamp?: number;
}

/** One instance of the module at work: it owns shards, finds a key's queue, and ends in good order. */
export class Engine implements ShardConsumer, ProducerPort {
  readonly options: ResolvedOptions;
  readonly handler: DataUpdaterHandler;
  readonly handlerName: string;
  readonly logger: LoggerService;
  readonly clock: Clock;
  readonly random: () => number;
  readonly codec: PayloadCodec;
  readonly reader: PayloadReader;
  readonly round: Round;
  readonly callbacks: Callbacks;
  readonly slots: AttemptSlots;
  readonly lanes = new LanePool();
  /** Keys with a data updater and nothing to do; the one that is idle the longest first. */
  readonly idle: DeadlineList<KeyQueue>;
  runningAttempts = 0;
  private live = 0;
  /** Those among them that are about to end. */
  private leaving = 0;
  private readonly shards = new Map<number, ShardSlot>();
  private readonly subject: Subject<MississippiEvent>;
  private transport: TransportConnection | undefined;
  private stopping = false;
  private disconnected = false;

  constructor(parts: EngineParts) {
    this.options = parts.options;
    this.handler = parts.handler ?? { handleMessage: () => undefined };
    this.handlerName = parts.handlerName;
    this.logger = parts.logger;
    this.subject = parts.events ?? new Subject();
    this.clock = parts.clock ?? systemClock;
    this.random = parts.random ?? Math.random;
    this.codec = codecOf(this.options.payload);
    this.reader = new PayloadReader(this.options.payload);
    this.round = new Round(this.clock);
    this.callbacks = new Callbacks(this.clock, this.round, this.options.handlerTimeout);
    this.slots = new AttemptSlots(this.round, this.options.concurrency);
    this.idle = new DeadlineList<KeyQueue>(this.clock, this.options.idleTimeout, (queue) => queue.deactivate('idle'));
  }

  // ---- life

  /**
   * Connects: from now on messages can be published.
   * @throws {InvalidOptionsError} when `handlerTimeout` does not fit the transport's delivery time-out
   */
  async connect(transport: Transport): Promise<void> {
    const { instance, handlerTimeout } = this.options;
    const connection = await transport.connect({ instance, logger: this.logger, clock: this.clock });
    const longest = (connection.deliveryTimeout ?? Infinity) / 3;
    if (handlerTimeout > longest) {
      await connection.close();
      throw new InvalidOptionsError([
        {
          path: 'forRoot.handlerTimeout',
          expected: `at most a third of the broker's delivery time-out was expected, that is ${Math.floor(longest)} ms, not ${handlerTimeout}`,
        },
      ]);
    }
    this.transport = connection;
  }

  /** Claims shards and handles their messages, unless the instance only publishes. */
  async consume(): Promise<void> {
    if (!this.options.producerOnly && !this.stopping) await this.connection().consume(this);
  }

  /** Takes nothing new, lets running handlers finish, terminates the data updaters, and gives the shards back. What others publish still goes out. */
  async drain(): Promise<void> {
    const { transport } = this;
    if (this.stopping || transport === undefined) return;
    this.stopping = true;
    transport.stopClaiming();
    const error = new ShuttingDownError('A message or signal');
    const slots = [...this.shards.values()];
    const owned = slots.flatMap(({ current }) => current ?? []);
    // Callbacks of former epochs may run still, and want what the app is about to close.
    const former = slots.flatMap((slot) => slot.former);
    await Promise.all([
      ...owned.map((shard) => shard.drain('shutdown', error).then(() => shard.session.close())),
      ...former.map((shard) => shard.drain('shutdown', error)),
    ]);
  }

  /** Disconnects, after a drain. */
  async close(): Promise<void> {
    const { transport } = this;
    if (this.disconnected || transport === undefined) return;
    this.disconnected = true;
    await transport.close();
    this.idle.stop();
    this.callbacks.stop();
    this.subject.complete();
  }

  async stop(): Promise<void> {
    await this.drain();
    await this.close();
  }

  connection(): TransportConnection {
    if (this.transport === undefined) throw new NotStartedError(`The instance '${this.options.instance}'`);
    return this.transport;
  }

  get publishTimeout(): number {
    return this.options.publishTimeout;
  }

  get totalCount(): number {
    return this.connection().totalCount;
  }

  get prefetch(): number {
    return this.connection().prefetch;
  }

  // ---- shards

  open(session: ShardSession): ShardReceiver {
    if (this.stopping) throw new ShuttingDownError(`The claim of shard ${session.shard}`);
    let slot = this.shards.get(session.shard);
    if (slot === undefined) {
      slot = new ShardSlot(this, this.prefetch);
      this.shards.set(session.shard, slot);
    }
    const shard = slot.open(session);
    this.emit({ type: 'shardOwned', shard: session.shard, epoch: shard.epoch });
    return shard;
  }

  /** An epoch of a shard has ended or is about to. */
  closed(shard: Shard): void {
    this.shards.get(shard.index)?.closed(shard);
  }

  // ---- keys

  async getDataUpdater(key: Uint8Array): Promise<DataUpdaterRef> {
    const queue = this.queueOf(key, 'getDataUpdater');
    const { live } = queue.activation;
    if (live !== undefined) return queue.activation.reference(live);
    return new Promise((resolve, reject) => {
      queue.signal(new PendingSignal(false, undefined, resolve as (value: unknown) => void, reject));
    });
  }

  async handleMessage(key: Uint8Array, message: DirectMessageInput): Promise<MessageOutcome<unknown>> {
    const queue = this.queueOf(key, 'handleMessage');
    return new Promise((resolve, reject) => {
      const { payload, messageId, timestamp, headers } = message;
      queue.accept(new DirectTrackedMessage(this.round.time, payload, messageId, timestamp, headers, resolve, reject));
    });
  }

  async handleSignal(key: Uint8Array, signal: unknown, timeout = this.options.signalTimeout): Promise<unknown> {
    this.refuseOwnKey(key, 'handleSignal');
    const connection = this.connection();
    const shard = shardOf(key, connection.totalCount);
    const begun = this.clock.now();
    const crosses = connection.sendSignal !== undefined;
    // Where there is no other process to ask, the refusal says why the key is not here.
    const owner = crosses ? this.shards.get(shard)?.current : this.owned(key);
    let started = false;
    try {
      if (owner !== undefined) return await this.signalHere(owner, key, signal, timeout, () => (started = true));
    } catch (error) {
      // The shard left before the signal's turn came: its new owner answers, while there is time.
      if (started || !crosses || !isHandOver(error)) throw error;
    }
    const left = Math.max(1, timeout - (this.clock.now() - begun));
    return connection.sendSignal!(shard, key, signal, left);
  }

  /** Signals a key of a shard that this process owns. */
  signalHere(shard: Shard, key: Uint8Array, signal: unknown, timeout: number, onStart: () => void): Promise<unknown> {
    const queue = shard.queue(key);
    return new Promise((resolve, reject) => {
      const pending = new PendingSignal(true, signal, resolve, reject, onStart);
      if (timeout !== Infinity) {
        pending.expires(
          this.clock.after(timeout, () =>
            pending.reject(new SignalTimeoutError(inspectKey(key), timeout, pending.started)),
          ),
        );
      }
      queue.signal(pending);
    });
  }

  async park(key: Uint8Array): Promise<void> {
    this.owned(key).queue(key).tracker.park();
  }

  async resume(key: Uint8Array): Promise<void> {
    this.owned(key).queues.get(key)?.tracker.resume();
  }

  async drop(key: Uint8Array): Promise<void> {
    const queue = this.owned(key).queues.get(key);
    if (queue === undefined) throw new KeyNotParkedError(inspectKey(key));
    return queue.tracker.drop();
  }

  *liveKeys(): IterableIterator<LiveKey> {
    for (const slot of this.shards.values()) for (const queue of slot.queues()) yield queue.describe();
  }

  status(): EngineStatus {
    const transport = this.transport?.status() ?? { connected: false, blocked: false, shards: 0 };
    const { live: liveKeys, runningAttempts } = this;
    const durable = this.transport?.durable ?? false;
    return { transport, durable, liveKeys, runningAttempts, ...census(this.shards.values(), this.clock.now()) };
  }

  async processes(): Promise<ProcessInfo[]> {
    const connection = this.connection();
    if (connection.processes !== undefined) return connection.processes();
    const shards = [...this.shards.values()].flatMap((slot) => slot.current?.index ?? []).sort((a, b) => a - b);
    return [{ name: `${this.options.instance} ${process.pid}`, shards, self: true }];
  }

  // ---- what keys report

  /** A data updater has started. */
  started(): void {
    this.live++;
    this.evict();
  }

  /** A data updater is to end. */
  ending(): void {
    this.leaving++;
  }

  /** It has ended. */
  ended(): void {
    this.live--;
    this.leaving--;
  }

  becameIdle(queue: KeyQueue): void {
    this.idle.add(queue, this.round.time);
    this.evict();
  }

  /** A second in which what was told to end may do so. */
  afterGrace(callback: () => void): void {
    this.clock.after(GRACE, callback);
  }

  // ---- events

  get events(): Observable<MississippiEvent> {
    return this.subject.asObservable();
  }

  get listening(): boolean {
    return this.subject.observed;
  }

  /** A listener that throws must not reach the engine's own flow; RxJS reports it on the next round of the event loop. */
  emit(event: MississippiEvent): void {
    if (this.subject.observed) this.subject.next(event);
  }

  // ---- inside

  private evict(): void {
    if (this.live - this.leaving <= this.options.maxLiveKeys) return;
    const queue = this.idle.peek();
    if (queue === undefined) return;
    this.idle.remove(queue);
    queue.deactivate('evicted');
  }

  private queueOf(key: Uint8Array, call: string): KeyQueue {
    this.refuseOwnKey(key, call);
    return this.owned(key).queue(key);
  }

  private refuseOwnKey(key: Uint8Array, call: string): void {
    if (insideCallbackOf(this, key)) throw new OwnKeyError(inspectKey(key), call);
  }

  /** The shard of a key, in this process. */
  private owned(key: Uint8Array): Shard {
    if (this.stopping) throw new ShuttingDownError('A message or signal');
    const index = shardOf(key, this.connection().totalCount);
    const shard = this.shards.get(index)?.current;
    if (shard === undefined) throw new ShardNotOwnedError(index, inspectKey(key));
    return shard;
  }
}

/** Whether an error means that somebody else owns the shard now, or soon. */
function isHandOver(error: unknown): boolean {
  return error instanceof ShardNotOwnedError || error instanceof ShuttingDownError;
}
