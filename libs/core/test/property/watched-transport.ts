import type { DeadLetterReason } from '../../src/note-headers.js';
import { systemClock } from '../../src/index.js';
import { NOTE_HEADERS } from '../../src/note-headers.js';
import type { MemoryBroker, MessageHeaders, Transport, TransportStatus } from '../../src/index.js';
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
import type { History } from './history.js';
import type { EpochRecord } from './records.js';

/** A process as its transport sees it. */
export interface TransportProcess {
  readonly name: string;
  /** `false` once it has crashed: nothing reaches it, and nothing leaves it. */
  readonly alive: boolean;
}

/** The embedded transport of one process, with an eye on everything that passes. */
export class WatchedTransport implements Transport, TransportConnection, ShardConsumer {
  readonly name = 'watched memory';
  readonly durable = false;
  readonly sessions = new Map<number, WatchedSession>();
  /** Every epoch that the process had. */
  readonly epochs: EpochRecord[] = [];
  claiming = false;
  private consumer: ShardConsumer | undefined;
  readonly publisher: Publisher;
  private readonly member: MemoryMember;
  private readonly ownership: Ownership;

  constructor(
    readonly broker: MemoryBroker,
    readonly prefetch: number,
    readonly process: TransportProcess,
    readonly history: History,
  ) {
    const { admission, ownership } = partsOf(broker);
    this.member = { consumer: this, prefetch, clock: systemClock };
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

  open(session: ShardSession): ShardReceiver {
    const watched = new WatchedSession(session, this);
    this.sessions.set(session.shard, watched);
    watched.opened(this.consumer!.open(watched) as ShardReceiver);
    this.epochs.push(watched.record);
    return new WatchedReceiver(watched, this);
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

/** One epoch, with an eye on what is settled, moved and refused. */
export class WatchedSession implements ShardSession {
  record!: EpochRecord;
  receiver: ShardReceiver | undefined;
  private certain = true;
  private confirmed: (() => void) | undefined;

  constructor(
    private readonly inner: ShardSession,
    private readonly home: WatchedTransport,
  ) {}

  /** Nothing of the epoch has started yet. */
  opened(receiver: ShardReceiver): void {
    this.receiver = receiver;
    this.record = this.home.history.opened(this.home.process.name, this.shard, receiver.epoch);
  }

  get shard(): number {
    return this.inner.shard;
  }
  get parked(): readonly ParkedEntry[] {
    return this.inner.parked;
  }

  settle(delivery: Delivery): void {
    const { history, process } = this.home;
    if (!process.alive) return;
    history.settled(this.record, history.messageOf(delivery.headers)!);
    this.inner.settle(delivery);
  }

  async deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void> {
    const { history } = this.home;
    const message = history.messageOf(delivery.headers);
    history.refuses(this.record, message, notes[NOTE_HEADERS.reason] as DeadLetterReason);
    await this.inner.deadLetter(delivery, notes);
    history.deadLettered(this.record, message);
    if (!this.home.process.alive) await never();
  }

  async park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void> {
    const { history } = this.home;
    history.parks(this.record, history.messageOf(delivery.headers)!);
    await this.inner.park(delivery, mode, notes);
    if (!this.home.process.alive) await never();
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
    this.record.suspended = true;
  }

  /** The broker says that there is none. */
  confirm(): void {
    this.certain = true;
    this.record.suspended = false;
    this.confirmed?.();
  }

  /** The owner is told to hand the shard over, and does so within its drain time-out. */
  async handOver(drainEnds: number): Promise<void> {
    this.record.drainEnds ??= drainEnds;
    await this.receiver!.release();
    await this.close();
  }

  end(): void {
    this.record.ended = true;
    if (this.home.sessions.get(this.shard) === this) this.home.sessions.delete(this.shard);
  }
}

class WatchedReceiver implements ShardReceiver {
  constructor(
    private readonly session: WatchedSession,
    private readonly home: WatchedTransport,
  ) {}

  get epoch(): number {
    return this.session.receiver!.epoch;
  }

  deliver(delivery: Delivery): void {
    const { history, process } = this.home;
    if (!process.alive) return;
    const message = history.messageOf(delivery.headers);
    if (message !== undefined) history.delivered(this.session.record, message);
    this.session.receiver!.deliver(delivery);
  }

  lost(cause: Error): void {
    this.home.history.note(`lose ${this.session.record.text}`);
    this.session.record.lost = true;
    this.session.end();
    if (this.home.process.alive) this.session.receiver!.lost(cause);
  }

  signal(key: Uint8Array, signal: unknown, timeout: number, started: () => void): Promise<unknown> {
    return this.session.receiver!.signal(key, signal, timeout, started);
  }

  release(): Promise<void> {
    return this.session.receiver!.release();
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
