import type { Transport, TransportStatus } from '@mississippi/core';
import type {
  Delivery,
  ShardConsumer,
  ShardReceiver,
  ShardSession,
  TransportConnection,
} from '@mississippi/core/transport';
import { SHARDS } from './keys.js';

/** Owns every shard and carries nothing: what the bench delivers goes straight to the core, and settlements are counted. */
export class BenchTransport implements Transport, TransportConnection {
  readonly name = 'bench';
  readonly totalCount = SHARDS;
  readonly durable = false;
  readonly receivers: ShardReceiver[] = [];
  readonly publisher = { publish: (): Promise<void> => unused('publish') };

  constructor(
    readonly prefetch: number,
    private readonly settled: () => void,
  ) {}

  async connect(): Promise<TransportConnection> {
    return this;
  }

  async consume(consumer: ShardConsumer): Promise<void> {
    for (let shard = 0; shard < SHARDS; shard++) {
      this.receivers.push(await consumer.open(new BenchSession(shard, this.settled)));
    }
  }

  status(): TransportStatus {
    return { connected: true, blocked: false, shards: SHARDS };
  }

  stopClaiming(): void {
    // It never claims.
  }

  async close(): Promise<void> {
    // It holds nothing.
  }
}

class BenchSession implements ShardSession {
  readonly parked = [];

  constructor(
    readonly shard: number,
    private readonly settled: () => void,
  ) {}

  settle(_delivery: Delivery): void {
    this.settled();
  }

  deadLetter(): Promise<void> {
    return unused('deadLetter');
  }

  park(): Promise<void> {
    return unused('park');
  }

  readParked(): never {
    throw new Error('readParked is of no use in a bench.');
  }

  async close(): Promise<void> {
    // There is nothing to return.
  }

  giveUp(): void {
    // Nor to end.
  }
}

function unused(what: string): Promise<never> {
  return Promise.reject(new Error(`${what} is of no use in a bench: a handler failed.`));
}
