import { describe } from '../../errors/describe.js';
import { ShardNotOwnedError, WaitingCycleError, type MississippiError } from '../../errors/index.js';
import { canonicalKey, keyId } from '../../keys/sharding-key.js';
import {
  isOperatorRequest,
  packOperatorAnswer,
  unpackOperatorRequest,
  type OperatorRequest,
} from '../../signals/operator-request.js';
import { pack, packError, unpackSignal } from '../../signals/signal-envelope.js';
import type { Timer } from '../../clock/clock.interface.js';
import type { Delivery, ShardReceiver, ShardSession, WaitingCallback } from '../../transport/transport.interface.js';
import type { Environment } from '../base/environment.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';
import { replayOf } from '../commits/finished-ids.js';
import { identityOf, InboxMark } from '../commits/inbox-mark.js';
import { isHandOver } from '../base/hand-over.js';
import { keyTextOf } from '../base/key-text.js';
import { KeyTable } from '../base/key-table.js';
import { KeyQueue, type KeyParts } from '../keys/key-queue.js';
import { signalKey } from '../keys/signal-key.js';
import { Epoch } from '../messages/epoch.js';
import type { FinishWatch } from '../messages/finish-watch.js';
import type { HandledMemory } from '../messages/handled-memory.js';
import { circleThrough } from '../updaters/waiting.js';
import { routeOf } from './routing.js';
import { Strays } from './strays.js';

/** How many keys one line of the log names. */
const MOST_SHOWN = 10;

/** Answers what an operator of another process asks of a shard, or of a key of it. */
export type Operated = (shard: OwnedShard, key: Uint8Array, request: OperatorRequest) => Promise<object>;

/** What a shard is made of besides its session. */
export interface ShardParts extends Omit<KeyParts, 'left'> {
  readonly environment: Environment;
  readonly totalCount: number;
  /** The prefetch window. */
  readonly prefetch: number;
  /** Whether signals reach other processes. */
  readonly crosses: boolean;
  /** Milliseconds after which the broker takes a delivery back, or `Infinity`. */
  readonly deliveryTimeout: number;
  readonly operated: Operated;
}

/** What the shard's other epochs have to do with it. */
export interface EpochLine {
  readonly memory: HandledMemory;
  /** The queue of a key that may still run in an earlier epoch. */
  predecessorOf(key: Uint8Array): KeyQueue | undefined;
  /** The epoch has ended or is about to. */
  closed(shard: OwnedShard): void;
}

/** One shard in one epoch: the queues of its keys, and the way back to the transport. */
export class OwnedShard implements ShardReceiver {
  readonly queues = new KeyTable<KeyQueue>();
  private readonly context: Epoch;
  private readonly keyParts: KeyParts;
  private ageCheck: Timer | undefined;
  private drained: (() => void) | undefined;
  private draining: Promise<void> | undefined;

  constructor(
    private readonly session: ShardSession,
    readonly epoch: number,
    private readonly parts: ShardParts,
    private readonly line: EpochLine,
    private readonly durable: DurableEpoch | undefined,
  ) {
    this.keyParts = { ...parts, left: (queue) => this.forget(queue) };
    this.context = new Epoch(parts.environment, session, {
      number: epoch,
      durable,
      prefetch: parts.prefetch,
      pressureAge: Math.min(parts.environment.options.pressureAge, parts.deliveryTimeout / 3),
      memory: line.memory,
      changed: () => this.checkDrained(),
      doubted: () => void this.verify(),
    });
    if (durable !== undefined) durable.outbox.relieved = () => this.wakeAll();
    this.checkAges();
    this.takeOverParked();
    this.events?.shard('shardOwned', this.context);
  }

  get index(): number {
    return this.session.shard;
  }
  /** Whether it is lost, or handed over. */
  get ended(): boolean {
    return this.context.ended;
  }
  /** Whether it waits because its side queue is full. */
  get stalled(): boolean {
    return this.context.side.stalled;
  }

  get hasStore(): boolean {
    return this.durable !== undefined;
  }

  /** Messages in its side queue or on their way there. */
  get parkedMessages(): number {
    return this.context.side.length;
  }

  /** Messages that were finished in this epoch, handled or given up. */
  get finished(): number {
    return this.context.finished;
  }

  /** Tells what it finishes until the returned function is called. */
  watch(watch: FinishWatch): () => void {
    const { context } = this;
    context.watches = [...context.watches, watch];
    return () => {
      context.watches = context.watches.filter((other) => other !== watch);
    };
  }

  /** Messages that were committed and that the transport has not taken. */
  get unpublished(): number {
    return this.durable?.outbox.length ?? 0;
  }

  /** The queue of a canonical key, made on demand. */
  queue(key: Uint8Array): KeyQueue {
    let queue = this.queues.get(key);
    if (queue === undefined) {
      queue = new KeyQueue(this.context, keyId(key), this.keyParts);
      this.queues.add(queue);
      const predecessor = this.line.predecessorOf(key);
      if (predecessor !== undefined) queue.waitFor(predecessor);
    }
    return queue;
  }

  deliver(delivery: Delivery): void {
    if (this.context.phase !== 'open') {
      this.leave(delivery);
      return;
    }
    if (this.durable === undefined) {
      const queue = this.queueOf(delivery);
      const { memory } = this.line;
      queue?.deliver(delivery, memory.takeMark(queue.id, delivery, !queue.tracker.isParked));
    } else {
      this.lookUp(delivery, this.durable);
    }
  }

  /** The inbox is asked first, and what it was asked about goes on in the order in which it came. */
  private lookUp(delivery: Delivery, durable: DurableEpoch): void {
    const { index } = this;
    const { messageId, body, headers } = delivery;
    const route = routeOf(delivery.key, index, this.parts.totalCount);
    const identity = route.key === undefined ? undefined : identityOf(route.key, messageId);
    if (route.key !== undefined && identity === undefined) {
      durable.instance.cameWithoutId(this.parts.environment.keyText(route.key));
    }
    // Nothing of the key is here, so nothing of it is under way that would change what is loaded.
    if (identity !== undefined && this.queues.get(identity.key) === undefined) durable.loadAhead(keyId(identity.key));
    durable.gate.enter(identity, (ticket, entry) => {
      if (this.context.phase !== 'open') return;
      this.queueOf(delivery)?.deliver(delivery, false, new InboxMark(identity, body, replayOf(headers), ticket, entry));
    });
  }

  async signal(
    key: Uint8Array,
    signal: Uint8Array,
    timeout: number,
    started: () => void,
    chain: readonly WaitingCallback[] = [],
  ): Promise<Uint8Array> {
    if (this.context.phase !== 'open') throw this.notOwned(this.parts.environment.keyText(key));
    if (isOperatorRequest(signal)) return this.operated(key, signal, started);
    let begun = false;
    const onStart = (): void => {
      begun = true;
      started();
    };
    try {
      const queue = this.queue(canonicalKey(key));
      const request = unpackSignal(signal);
      const caller = { context: undefined, callback: undefined, chain, carried: request.carried };
      const circle = circleThrough(caller, queue);
      if (circle !== undefined) throw new WaitingCycleError('handleSignal', circle);
      return pack(await signalKey(queue, request, timeout, onStart, caller));
    } catch (error) {
      if (!begun && isHandOver(error)) throw error;
      return packError(error);
    }
  }

  /** No handler sees it. It begins at once, so that it is done once at most. */
  private async operated(key: Uint8Array, signal: Uint8Array, started: () => void): Promise<Uint8Array> {
    try {
      const request = unpackOperatorRequest(signal);
      started();
      return packOperatorAnswer(await this.parts.operated(this, canonicalKey(key), request));
    } catch (error) {
      return packError(error);
    }
  }

  lost(cause: Error): void {
    if (this.context.ended) return;
    this.context.phase = 'ended';
    const error = this.notOwned(`(of shard ${this.index}, lost: ${describe(cause)})`);
    this.durable?.end(error);
    this.shut('shardLost', error);
    this.events?.shard('shardLost', this.context);
  }

  release(): Promise<void> {
    const { drainTimeout } = this.parts.environment.options;
    const error = this.notOwned(`(of shard ${this.index}, handed over)`);
    return this.drain('shardReleased', error, drainTimeout);
  }

  /** The epoch cannot go on: the shard is lost, and goes back to be claimed again. */
  giveUp(cause: Error): void {
    if (this.context.ended) return;
    this.lost(cause);
    this.session.giveUp(cause);
  }

  /** Gives the shard back, after {@link drain}. */
  close(): Promise<void> {
    return this.session.close();
  }

  /**
   * Lets what runs end and settle, and terminates every data updater. Whoever calls later, or for a shard that was lost,
   * waits for the same end.
   * @param within milliseconds until it insists
   */
  drain(reason: 'shardReleased' | 'shutdown', error: MississippiError, within: number): Promise<void> {
    return (this.draining ??= this.end(reason, error, within));
  }

  private get events() {
    return this.parts.environment.events.sink;
  }

  private async end(reason: 'shardReleased' | 'shutdown', error: MississippiError, within: number): Promise<void> {
    const { environment, callbacks } = this.parts;
    const done = new Promise<void>((resolve) => {
      this.drained = resolve;
    });
    if (this.context.phase === 'open') {
      this.context.phase = 'closing';
      this.shut(reason, error);
    }
    this.checkDrained();
    const timer = environment.clock.after(within, () => {
      this.context.overdue = error;
      this.tellOverdue();
      for (const queue of this.queues.values()) queue.insist(error);
      // What has still not ended a grace later waits for a broker that does not answer.
      callbacks.afterGrace(() => this.lost(error));
    });
    await done;
    timer.cancel();
    if (this.context.ended) return; // The loss was reported already.
    this.context.phase = 'ended';
    this.durable?.end(error);
    this.events?.shard('shardReleased', this.context);
  }

  /** The drain is past its deadline: whoever must find out why needs the keys. */
  private tellOverdue(): void {
    const { log, options } = this.parts.environment;
    const running = [...this.queues.values()].filter((queue) => queue.running);
    if (running.length === 0) return;
    const shown = running.slice(0, MOST_SHOWN).map(keyTextOf).join(', ') + (running.length > MOST_SHOWN ? ', …' : '');
    log.error(
      `Shard ${this.index} has not drained within drainTimeout, ${options.drainTimeout} ms: a callback of ${running.length === 1 ? 'the key' : `${running.length} keys, such as`} ${shown} still runs and is abandoned a second from now.`,
      { event: 'drainOverdue', shard: this.index, epoch: this.epoch, running: running.length, keys: shown },
    );
  }

  /** Where the broker takes back what waits for too long, and the shard with it. */
  private checkAges(): void {
    const { environment, deliveryTimeout } = this.parts;
    if (deliveryTimeout === Infinity) return;
    const check = (): void => {
      for (const { tracker } of this.queues.values()) tracker.checkAge();
      this.checkAges();
    };
    this.ageCheck = environment.clock.after(this.context.pressureAge / 4, check, true);
  }

  private shut(reason: 'shardLost' | 'shardReleased' | 'shutdown', error: MississippiError): void {
    this.ageCheck?.cancel();
    this.context.side.close();
    this.context.deadLetters.close();
    // First of all: what the callbacks that begin here ask of other keys of the shard must not start there any more.
    this.line.closed(this);
    this.durable?.close(error);
    for (const queue of this.queues.values()) queue.close(reason, error);
    this.checkDrained();
  }

  /** A key has nothing left. */
  private forget(queue: KeyQueue): void {
    this.queues.delete(queue);
    this.durable?.dropAhead(queue.id);
    this.checkDrained();
  }

  private checkDrained(): void {
    if (this.drained === undefined || this.queues.size > 0) return;
    if (!this.context.ended && this.context.moving) return;
    this.drained();
    this.drained = undefined;
  }

  /** The broker may have given the shard to somebody else: nothing starts until it says that it has not. */
  private async verify(): Promise<void> {
    try {
      await this.session.verify!();
    } catch (error) {
      this.giveUp(error as Error);
      return;
    }
    this.context.verifying = false;
    this.wakeAll();
  }

  private wakeAll(): void {
    for (const queue of this.queues.values()) queue.wake();
  }

  /** Takes over what previous owners left in the side queue. */
  private takeOverParked(): void {
    const { index } = this;
    const { totalCount } = this.parts;
    const strays = new Strays(this.context, totalCount);
    for (const entry of this.session.parked) {
      const route = routeOf(entry.key, index, totalCount);
      if (route.key === undefined) strays.found(route.stray);
      else this.queue(route.key).tracker.foundParked(entry);
    }
    for (const queue of this.queues.values()) queue.tracker.feed();
    strays.setAside();
  }

  /** It stays unsettled and goes to the next owner, who may be this process. */
  private leave(delivery: Delivery): void {
    const { key } = routeOf(delivery.key, this.index, this.parts.totalCount);
    if (key !== undefined) this.line.memory.leave(keyId(key), delivery);
  }

  private queueOf(delivery: Delivery): KeyQueue | undefined {
    // The spelling on the wire is nearly always the canonical one, so that a known key is found at once.
    const known = delivery.key === undefined ? undefined : this.queues.get(delivery.key);
    if (known !== undefined) return known;
    const route = routeOf(delivery.key, this.index, this.parts.totalCount);
    if (route.key !== undefined) return this.queue(route.key);
    // It belongs to no key of this shard: dead-lettered, while the others go on.
    const { reason, error } = route;
    this.context.deadLetters.send(
      { key: undefined, keyBytes: delivery.key, delivery, reason, error, attempts: 0 },
      { settled: () => undefined },
    );
    return undefined;
  }

  private notOwned(key: string): ShardNotOwnedError {
    return new ShardNotOwnedError(this.index, key, this.parts.crosses);
  }
}
