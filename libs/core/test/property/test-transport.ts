import type { Recorder } from '@mississippi/history';
import {
  PublishError,
  systemClock,
  type MemoryBroker,
  type MessageHeaders,
  type Transport,
  type TransportStatus,
} from '../../src/index.js';
import type {
  Delivery,
  ParkedEntry,
  ParkedMode,
  ParkedReader,
  Publisher,
  ShardConsumer,
  ShardReceiver,
  ShardSession,
  TransportConnection,
} from '../../src/transport/index.js';
import type { MemoryMember } from '../../src/memory/broker/memory-member.js';
import type { Ownership } from '../../src/memory/broker/ownership.js';
import { partsOf } from '../../src/memory/memory-broker.js';

/** A process as its transport sees it. */
export interface TransportProcess {
  /** `false` once it has crashed: nothing reaches it, and nothing leaves it. */
  readonly alive: boolean;
  readonly recorder: Recorder;
}

/** The embedded transport of one process, of which a scenario can say what happens to its shards. */
export class TestTransport implements Transport, TransportConnection, ShardConsumer {
  readonly name = 'memory under test';
  readonly durable = false;
  readonly sessions = new Map<number, TestSession>();
  /** Every epoch that the process had. */
  readonly epochs: TestSession[] = [];
  claiming = false;
  private consumer: ShardConsumer | undefined;
  readonly publisher: Publisher;
  private readonly member: MemoryMember;
  private readonly ownership: Ownership;

  constructor(
    readonly broker: MemoryBroker,
    readonly prefetch: number,
    readonly process: TransportProcess,
    /** Dead letters above which it refuses more, as a broker whose queue of them is full. */
    private readonly deadLetterLimit: number,
  ) {
    this.member = { consumer: this, prefetch, clock: systemClock };
    const { admission, ownership } = partsOf(broker);
    this.ownership = ownership;
    this.publisher = { publish: (message, timeout) => admission.publish(message, timeout, this.member) };
  }

  get totalCount(): number {
    return this.broker.totalCount;
  }

  async connect(): Promise<TransportConnection> {
    return this;
  }

  async consume(consumer: ShardConsumer): Promise<void> {
    this.consumer = consumer;
    this.claiming = true;
    this.ownership.join(this.member);
  }

  open(inner: ShardSession): ShardReceiver {
    const session = new TestSession(inner, this);
    this.sessions.set(session.shard, session);
    const receiver = this.consumer!.open(session) as ShardReceiver;
    session.receiver = receiver;
    this.epochs.push(session);
    return {
      epoch: receiver.epoch,
      deliver: (delivery) => {
        if (this.process.alive) receiver.deliver(delivery);
      },
      lost: (cause) => {
        session.end();
        if (this.process.alive) receiver.lost(cause);
      },
      signal: (...signal) => receiver.signal(...signal),
      release: () => receiver.release(),
    };
  }

  /** @throws {PublishError} while the dead letters are full */
  checkDeadLetters(): void {
    if (this.broker.deadLetters.length < this.deadLetterLimit) return;
    throw new PublishError('nacked', 'the dead letters are full');
  }

  /** Leaves and joins again, behind the others: they get the next shard that is free. */
  standBack(): void {
    this.ownership.leave(this.member);
    if (this.claiming) this.ownership.join(this.member);
  }

  status(): TransportStatus {
    return { connected: true, blocked: this.broker.blocked, shards: this.ownership.ownedBy(this.member) };
  }

  stopClaiming(): void {
    this.claiming = false;
    this.ownership.leave(this.member);
  }

  async close(): Promise<void> {
    this.claiming = false;
    this.ownership.expel(this.member, new Error('the transport was closed'));
  }
}

/** One epoch, whose ownership can be doubted. */
export class TestSession implements ShardSession {
  receiver: ShardReceiver | undefined;
  /** It is to be handed over, or its process stops. */
  closing = false;
  certain = true;
  private confirmed: (() => void) | undefined;

  constructor(
    private readonly inner: ShardSession,
    private readonly transport: TestTransport,
  ) {}

  get shard(): number {
    return this.inner.shard;
  }
  get parked(): readonly ParkedEntry[] {
    return this.inner.parked;
  }

  settle(delivery: Delivery): void {
    if (this.transport.process.alive) this.inner.settle(delivery);
  }

  async deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void> {
    this.transport.checkDeadLetters();
    await this.inner.deadLetter(delivery, notes);
  }

  park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void> {
    return this.inner.park(delivery, mode, notes);
  }

  readParked(key: Uint8Array): ParkedReader {
    return this.inner.readParked(key);
  }

  isCertain(): boolean {
    return this.certain;
  }

  verify(): Promise<void> {
    return new Promise((resolve) => {
      this.confirmed = resolve;
    });
  }

  giveUp(cause: Error): void {
    this.end();
    this.inner.giveUp(cause);
  }

  close(): Promise<void> {
    this.end();
    return this.inner.close();
  }

  // ---- what happens to it

  /** Another owner may exist, for all that is known. */
  doubt(): void {
    this.certain = false;
    this.tell('suspended');
  }

  /** The broker says that there is none. */
  confirm(): void {
    this.certain = true;
    this.tell('assured');
    this.confirmed?.();
  }

  /** The owner is told to hand the shard over, and does so within its drain time-out. */
  async handOver(): Promise<void> {
    this.closes();
    await this.receiver!.release();
    await this.close();
  }

  /** Nothing of it starts any more. */
  closes(): void {
    this.closing = true;
    this.tell('releasing');
  }

  end(): void {
    if (this.transport.sessions.get(this.shard) === this) this.transport.sessions.delete(this.shard);
  }

  private tell(type: 'suspended' | 'assured' | 'releasing'): void {
    this.transport.process.recorder.record({ type, shard: this.shard, epoch: this.receiver!.epoch });
  }
}
