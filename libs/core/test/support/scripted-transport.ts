import type { MessageHeaders, Transport, TransportStatus } from '../../src/index.js';
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
import { settled } from './fake-clock.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';

/** A transport, of one shard unless more are asked for, that the test plays itself, for what the embedded one never does. */
export class ScriptedTransport implements Transport, TransportConnection {
  readonly name = 'scripted';
  readonly totalCount: number;
  readonly durable = false;
  readonly prefetch: number;
  readonly deliveryTimeout?: number;
  closed = false;
  private consumer: ShardConsumer | undefined;

  constructor({
    prefetch = 300,
    deliveryTimeout,
    totalCount = 1,
  }: { prefetch?: number; deliveryTimeout?: number; totalCount?: number } = {}) {
    this.totalCount = totalCount;
    this.prefetch = prefetch;
    if (deliveryTimeout !== undefined) this.deliveryTimeout = deliveryTimeout;
  }

  readonly publisher: Publisher = { publish: () => Promise.reject(new Error('nothing is published here')) };

  async connect(): Promise<TransportConnection> {
    return this;
  }

  async consume(consumer: ShardConsumer): Promise<void> {
    this.consumer = consumer;
  }

  /** A new epoch of the shard begins. */
  own(parked: readonly ScriptedDelivery[] = [], shard = 0): ScriptedEpoch {
    const epoch = new ScriptedEpoch(parked, shard);
    epoch.receiver = this.consumer!.open(epoch) as ShardReceiver;
    return epoch;
  }

  /** The same, for an epoch that may take its time to open. */
  async claim(epoch: ScriptedEpoch): Promise<ShardReceiver> {
    epoch.receiver = await this.consumer!.open(epoch);
    return epoch.receiver;
  }

  status(): TransportStatus {
    return { connected: true, blocked: false, shards: 1 };
  }

  stopClaiming(): void {}

  async close(): Promise<void> {
    this.closed = true;
  }
}

export class ScriptedDelivery implements Delivery {
  readonly key: Uint8Array;
  readonly body: Uint8Array;
  readonly headers: MessageHeaders = {};
  readonly timestamp = undefined;

  /** The message id is the payload, unless another is given. */
  constructor(
    key: string,
    readonly payload: string,
    readonly redelivered: boolean,
    readonly messageId: string | undefined = payload,
  ) {
    this.key = encodeShardingKey(key);
    this.body = Buffer.from(JSON.stringify(payload));
  }
}

/** One epoch of the shard, as the test plays it. */
export class ScriptedEpoch implements ShardSession {
  readonly parked: readonly ParkedEntry[];
  /** Payloads, in the order of their settlement. */
  readonly settled: string[] = [];
  readonly deadLettered: string[] = [];
  readonly moved: string[] = [];
  /** How many readers of the side queue are open. */
  readers = 0;
  closed = false;
  /** Why the core gave the epoch up. */
  givenUpBy: Error | undefined;
  /** How often the core asked whether the shard is still owned. */
  verifications = 0;
  private answer: { resolve: () => void; reject: (error: Error) => void } | undefined;
  /** Whether the ownership is certain. */
  certain = true;
  /** What a move waits for. */
  moves: Promise<void> = Promise.resolve();
  /** What a dead letter waits for. */
  letters: Promise<void> = Promise.resolve();
  receiver!: ShardReceiver;
  private readonly side: ScriptedDelivery[];

  constructor(
    side: readonly ScriptedDelivery[],
    readonly shard = 0,
  ) {
    this.side = [...side];
    this.parked = side.map(({ key }) => ({ key, mode: 'pressure', notes: {} }));
  }

  /** Delivers for the first time. */
  deliver(key: string, payload: string): void {
    this.receiver.deliver(new ScriptedDelivery(key, payload, false));
  }

  /** Delivers what was delivered before. */
  redeliver(key: string, payload: string, messageId?: string): void {
    this.receiver.deliver(new ScriptedDelivery(key, payload, true, messageId));
  }

  lose(): void {
    this.receiver.lost(new Error('the connection broke'));
  }

  isCertain(): boolean {
    return this.certain;
  }

  verify(): Promise<void> {
    this.verifications++;
    return new Promise((resolve, reject) => {
      this.answer = { resolve, reject };
    });
  }

  /** The broker answers that the shard is still owned. */
  async confirm(): Promise<void> {
    this.certain = true;
    this.answer?.resolve();
    await settled();
  }

  /** The broker does not answer. */
  async leaveUnanswered(): Promise<void> {
    this.answer?.reject(new Error('no answer'));
    await settled();
  }

  giveUp(cause: Error): void {
    this.givenUpBy = cause;
  }

  settle(delivery: Delivery): void {
    this.settled.push(payloadOf(delivery));
  }

  async deadLetter(delivery: Delivery): Promise<void> {
    await this.letters;
    this.deadLettered.push(payloadOf(delivery));
  }

  async park(delivery: Delivery, _mode: ParkedMode): Promise<void> {
    await this.moves;
    this.moved.push(payloadOf(delivery));
    this.side.push(delivery as ScriptedDelivery);
  }

  readParked(key: Uint8Array): ParkedReader {
    const waits = (delivery: ScriptedDelivery): boolean =>
      Buffer.compare(delivery.key, key) === 0 &&
      !this.settled.includes(delivery.payload) &&
      !this.deadLettered.includes(delivery.payload);
    this.readers++;
    return { next: async () => this.side.find(waits)!, close: () => void this.readers-- };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function payloadOf(delivery: Delivery): string {
  return (delivery as ScriptedDelivery).payload;
}
