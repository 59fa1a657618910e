import { NoOwnerError, SignalTimeoutError, type TransportStatus } from '@mississippi/core';
import type {
  DeadLetterReader,
  Delivery,
  OutgoingMessage,
  Publisher,
  ShardConsumer,
  ShardReceiver,
  ShardSession,
  TransportConnection,
  WaitingCallback,
} from '@mississippi/core/transport';
import type { OpenOptions } from '@mississippi/testing/transport';
import { MemoryHarness } from './memory-harness.js';

/** Milliseconds on the way to the broker and back. Timers of one duration fire in the order in which they were set. */
const WAY = 12;

function onTheWay(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, WAY);
  });
}

/** The embedded transport behind a slow line: everything takes its time, and what is under way at a crash is gone. */
export class SlowHarness extends MemoryHarness {
  override readonly unsupported = [];
  private owners = new Map<number, SlowSession>();
  private readonly connections = new Map<TransportConnection, SlowConnection>();

  override async reset(): Promise<void> {
    await super.reset();
    this.owners = new Map();
  }

  override async open(options: OpenOptions): Promise<TransportConnection> {
    const connection = new SlowConnection(await super.open(options), this.owners);
    this.connections.set(connection, connection);
    await onTheWay();
    return connection;
  }

  override async crash(connection: TransportConnection): Promise<void> {
    this.connections.get(connection)!.dead = true;
    await onTheWay();
    await this.connections.get(connection)!.inner.close();
  }
}

class SlowConnection implements TransportConnection, Publisher {
  readonly durable = false;
  readonly publisher = this;
  dead = false;

  constructor(
    readonly inner: TransportConnection,
    /** Who owns each shard, for signals from one connection to another. */
    readonly owners: Map<number, SlowSession>,
  ) {}

  get totalCount(): number {
    return this.inner.totalCount;
  }
  get prefetch(): number {
    return this.inner.prefetch;
  }

  async publish(message: OutgoingMessage, timeout: number): Promise<void> {
    await this.arrive();
    await this.inner.publisher.publish(message, timeout);
    await this.arrive();
  }

  consume(consumer: ShardConsumer): Promise<void> {
    return this.inner.consume({ open: (session) => new SlowSession(this, session).begin(consumer) });
  }

  async readDeadLetters(): Promise<DeadLetterReader> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return this.inner.readDeadLetters!();
  }

  async sendSignal(
    shard: number,
    key: Uint8Array,
    signal: Uint8Array,
    timeout: number,
    waiting: readonly WaitingCallback[],
  ): Promise<Uint8Array> {
    let started = false;
    let waits = true;
    const onStart = (): void => void (started = true);
    const request = Buffer.from(signal);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waits = false;
        const owned = this.owners.get(shard)?.isOpen === true;
        reject(owned ? new SignalTimeoutError('k', timeout, started) : new NoOwnerError('k', shard, timeout));
      }, timeout);
      const answered = (answer: Uint8Array): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      const call = (owner: SlowSession) => owner.signal(key, request, timeout, onStart, waiting);
      void this.ask(shard, call, () => waits, answered);
    });
  }

  /** Asks whoever owns the shard, one after the other, until somebody has answered. */
  private async ask(
    shard: number,
    call: (owner: SlowSession) => Promise<Uint8Array>,
    waits: () => boolean,
    answered: (answer: Uint8Array) => void,
  ): Promise<void> {
    while (waits()) {
      await this.arrive();
      const owner = this.owners.get(shard);
      const answer = owner?.isOpen === true && (await call(owner).catch(() => undefined));
      if (!answer) continue;
      await this.arrive();
      answered(answer);
      return;
    }
  }

  status(): TransportStatus {
    return this.inner.status();
  }

  stopClaiming(): void {
    this.inner.stopClaiming();
  }

  async close(): Promise<void> {
    await onTheWay();
    await this.inner.close();
    await onTheWay();
  }

  /** Resolves when something has arrived at the other end; never, if the process was killed meanwhile. */
  async arrive(): Promise<void> {
    await onTheWay();
    if (this.dead) await new Promise<never>(() => undefined);
  }
}

/** Both ends of a session: the consumer's session, and the broker's receiver. */
class SlowSession implements ShardSession, ShardReceiver {
  readonly shard = this.session.shard;
  readonly parked = this.session.parked;
  private receiver: ShardReceiver | undefined;
  private ended = false;
  /** Whether the broker has answered once. */
  private certain = false;

  constructor(
    private readonly line: SlowConnection,
    private readonly session: ShardSession,
  ) {}

  async begin(consumer: ShardConsumer): Promise<this> {
    await this.line.arrive();
    this.receiver = await consumer.open(this);
    this.line.owners.set(this.shard, this);
    return this;
  }

  get isOpen(): boolean {
    return !this.ended && !this.line.dead;
  }

  get epoch(): number {
    return this.receiver!.epoch;
  }

  isCertain(): boolean {
    return this.certain;
  }

  async verify(): Promise<void> {
    await this.line.arrive();
    await this.line.arrive();
    this.certain = true;
  }

  giveUp(cause: Error): void {
    this.ended = true;
    void this.line.arrive().then(() => this.session.giveUp(cause));
  }

  // ---- from the broker

  deliver(delivery: Delivery): void {
    void this.line.arrive().then(() => {
      if (!this.ended) this.receiver?.deliver(delivery);
    });
  }

  lost(cause: Error): void {
    void this.line.arrive().then(() => {
      if (!this.ended) this.receiver?.lost(cause);
      this.ended = true;
    });
  }

  signal(...request: Parameters<ShardReceiver['signal']>): Promise<Uint8Array> {
    return this.receiver!.signal(...request);
  }

  release(): Promise<void> {
    return this.receiver!.release();
  }

  // ---- from the consumer

  settle(delivery: Delivery): void {
    void this.line.arrive().then(() => this.session.settle(delivery));
  }

  async deadLetter(...call: Parameters<ShardSession['deadLetter']>): Promise<void> {
    await this.line.arrive();
    await this.session.deadLetter(...call);
    await this.line.arrive();
  }

  async park(...call: Parameters<ShardSession['park']>): Promise<void> {
    await this.line.arrive();
    await this.session.park(...call);
    await this.line.arrive();
  }

  readParked(key: Uint8Array) {
    const reader = this.session.readParked(key);
    const next = async (): Promise<Delivery> => {
      await this.line.arrive();
      return reader.next();
    };
    return { next, close: () => reader.close() };
  }

  async close(): Promise<void> {
    await this.line.arrive();
    this.ended = true;
    await this.session.close();
    await this.line.arrive();
  }
}
