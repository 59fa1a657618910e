import type { MessageHeaders } from '@mississippi/core';
import type {
  Delivery,
  ParkedEntry,
  ParkedMode,
  ParkedReader,
  ShardReceiver,
  ShardSession,
  WaitingCallback,
} from '@mississippi/core/transport';
import type { Journal } from '../conformance/journal.js';

type State = 'open' | 'refused' | 'closing' | 'closed' | 'given up' | 'losing' | 'lost' | 'released' | 'crashed';

/** In these nothing may come any more. */
const SILENT: readonly State[] = ['refused', 'closed', 'given up', 'released'];

/** @publicApi */
export interface RecordedSessionOptions {
  /** Whose events these are, for the journal. */
  readonly name: string;
  readonly journal: Journal;
  /** Maximum number of unsettled deliveries per shard: more are a fault. */
  readonly prefetch: number;
  /** Told of each delivery, inside the transport's call. */
  readonly onDelivery?: (session: RecordedSession) => void;
  /** Answers the signals of other processes. Left out, each signal is its own answer. */
  readonly onSignal?: (session: RecordedSession, request: ReceivedSignal) => Promise<Uint8Array>;
}

/**
 * A signal from another process, as it came to the shard's owner.
 * @publicApi
 */
export interface ReceivedSignal {
  /** In the external term format. */
  readonly key: Uint8Array;
  readonly signal: Uint8Array;
  /** Milliseconds that were left. */
  readonly timeout: number;
  /** To be called when the handler would see it. */
  readonly started: () => void;
  /** The callbacks that wait for it. */
  readonly waiting: readonly WaitingCallback[];
}

/**
 * One epoch of one shard as a consumer saw it. Settle through it, so that it knows what is unsettled.
 * @publicApi
 */
export class RecordedSession implements ShardReceiver {
  readonly name: string;
  readonly shard: number;
  /** What the session listed in its side queue when it was opened. */
  readonly parked: readonly ParkedEntry[];
  /** Everything that was delivered, in order. */
  readonly deliveries: Delivery[] = [];
  /** How often the transport said that the session was lost. */
  lostCount = 0;
  /** What the transport said when it was. */
  cause: Error | undefined;
  private state: State = 'open';
  private readonly unsettled = new Set<Delivery>();

  constructor(
    readonly session: ShardSession,
    /** From 1, as the recorder counts. */
    readonly epoch: number,
    private readonly options: RecordedSessionOptions,
  ) {
    this.name = `${options.name}/${session.shard}/${epoch}`;
    this.shard = session.shard;
    this.parked = [...session.parked];
  }

  /** Whether the epoch lasts, as far as anybody was told. */
  get isOpen(): boolean {
    return this.state === 'open';
  }

  isUnsettled(delivery: Delivery): boolean {
    return this.unsettled.has(delivery);
  }

  // ---- what the transport says

  deliver(delivery: Delivery): void {
    const { journal, prefetch, onDelivery } = this.options;
    if (this.state === 'crashed') return;
    if (this.state === 'lost' || SILENT.includes(this.state)) {
      journal.fault(`${this.name} got ${nameOf(delivery)} after it was ${this.state}`);
    }
    if (this.unsettled.has(delivery)) journal.fault(`${this.name} got ${nameOf(delivery)} twice in one epoch`);
    this.deliveries.push(delivery);
    this.unsettled.add(delivery);
    if (this.unsettled.size > prefetch) {
      journal.fault(`${this.name} has ${this.unsettled.size} unsettled deliveries, but prefetch is ${prefetch}`);
    }
    journal.note(`${this.name} got ${nameOf(delivery)}${delivery.redelivered ? ' (redelivered)' : ''}`);
    onDelivery?.(this);
  }

  lost(cause: Error): void {
    if (this.state === 'crashed') return;
    this.lostCount++;
    this.cause = cause;
    if (this.lostCount > 1 || SILENT.includes(this.state)) {
      this.options.journal.fault(`${this.name} was lost after it was ${this.state}`);
    }
    this.state = 'lost';
    this.options.journal.note(`${this.name} was lost: ${String(cause)}`);
  }

  /** Without a handler the answer is the signal. */
  async signal(
    key: Uint8Array,
    signal: Uint8Array,
    timeout: number,
    started: () => void,
    waiting: readonly WaitingCallback[] = [],
  ): Promise<Uint8Array> {
    this.options.journal.note(`${this.name} got a signal of ${signal.length} bytes`);
    const { onSignal } = this.options;
    if (onSignal !== undefined) return onSignal(this, { key, signal, timeout, started, waiting });
    started();
    return signal;
  }

  async release(): Promise<void> {
    if (this.state === 'open') this.state = 'released';
    this.options.journal.note(`${this.name} was released`);
  }

  // ---- what a case does

  settle(delivery: Delivery): void {
    this.unsettled.delete(delivery);
    this.session.settle(delivery);
    this.options.journal.wake();
  }

  settleAll(): void {
    for (const delivery of this.unsettled) this.settle(delivery);
  }

  deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void> {
    return this.move(delivery, this.session.deadLetter(delivery, notes));
  }

  park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders = {}): Promise<void> {
    return this.move(delivery, this.session.park(delivery, mode, notes));
  }

  readParked(key: Uint8Array | undefined): ParkedReader {
    return this.session.readParked(key);
  }

  async close(): Promise<void> {
    if (this.state === 'open') this.state = 'closing';
    await this.options.journal.settled(`${this.name} to close`, this.session.close());
    if (this.state === 'closing') this.state = 'closed';
    this.options.journal.note(`${this.name} was closed`);
  }

  /** Ends the epoch at once: what is unsettled goes back, and the transport has nothing more to say. */
  giveUp(cause: Error): void {
    if (this.state === 'open') this.state = 'given up';
    this.session.giveUp(cause);
    this.options.journal.note(`${this.name} was given up`);
  }

  /** Opening it has failed: the transport is to close it. */
  refuse(): void {
    if (this.state === 'open') this.state = 'refused';
    this.options.journal.note(`${this.name} was refused`);
  }

  /** The epoch is about to be ended from outside. */
  losing(): void {
    if (this.state === 'open') this.state = 'losing';
  }

  crash(): void {
    this.state = 'crashed';
  }

  // ---- what a case waits for

  /** Resolves with the first so many deliveries. */
  received(count: number): Promise<Delivery[]> {
    const { journal } = this.options;
    return journal.until(`${this.name} to get ${count} deliveries`, () => {
      return this.deliveries.length >= count && this.deliveries.slice(0, count);
    });
  }

  /** Resolves with all deliveries up to a message, that one included. */
  receivedUpTo(messageId: string): Promise<Delivery[]> {
    const { journal } = this.options;
    return journal.until(`${this.name} to get ${messageId}`, () => {
      const index = this.deliveries.findIndex((delivery) => delivery.messageId === messageId);
      return index >= 0 && this.deliveries.slice(0, index + 1);
    });
  }

  /** Waits for so many deliveries and settles each when it comes. */
  async handle(count: number): Promise<Delivery[]> {
    for (let next = 0; next < count; next++) {
      await this.received(next + 1);
      const delivery = this.deliveries[next]!;
      if (this.isUnsettled(delivery)) this.settle(delivery);
    }
    return this.deliveries.slice(0, count);
  }

  /** Settles each delivery when it comes, up to a message. Returns all of them. */
  async handleUpTo(messageId: string): Promise<Delivery[]> {
    for (let count = 1; ; count++) {
      const deliveries = await this.handle(count);
      if (deliveries.at(-1)!.messageId === messageId) return deliveries;
    }
  }

  wasLost(): Promise<true> {
    return this.options.journal.until(`${this.name} to be told that it is lost`, () => this.lostCount > 0);
  }

  /** A delivery leaves the window from the call on, since its confirm may come after the message that takes its place. */
  private move(delivery: Delivery, moved: Promise<void>): Promise<void> {
    this.unsettled.delete(delivery);
    return moved.catch((error: unknown) => {
      this.unsettled.add(delivery);
      throw error;
    });
  }
}

function nameOf(delivery: Delivery): string {
  return delivery.messageId ?? `a message without an id, of ${delivery.body.length} bytes`;
}
