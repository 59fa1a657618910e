import { IsInstance, IsOptional } from 'class-validator';
import type { Clock } from '../clock/clock.interface.js';
import { PublishError } from '../errors/index.js';
import type {
  OutgoingMessage,
  Publisher,
  ShardConsumer,
  Transport,
  TransportConnection,
  TransportContext,
} from '../transport/transport.interface.js';
import type { TransportStatus } from '../interfaces/status.interface.js';
import { IsCount } from '../options/validators.js';
import { validateOptions } from '../options/validate-options.js';
import { MemoryBroker, type MemoryMember } from './memory-broker.js';

/** The options of the embedded transport. */
export class MemoryTransportOptions {
  /** Number of shards. Default 128. */
  @IsOptional()
  @IsCount()
  totalCount?: number;

  /** Most unsettled deliveries of one shard. Default 300. */
  @IsOptional()
  @IsCount()
  prefetch?: number;

  /** Messages that are not settled above which `publish` waits. Default 100,000. */
  @IsOptional()
  @IsCount({ infinity: true })
  capacity?: number;

  /** Dead letters that are kept for `broker.takeDeadLetters()`; above it failing keys wait. Default 10,000. */
  @IsOptional()
  @IsCount({ infinity: true })
  deadLetterLimit?: number;

  /** A broker to share with other apps of this process; the options above that belong to it are then its own. */
  @IsOptional()
  @IsInstance(MemoryBroker)
  broker?: MemoryBroker;
}

/**
 * The embedded transport: no broker to run, the same shards and hash as a broker's, FIFO, prefetch window,
 * redelivery, dead letters, side queues, back-pressure. What it holds is lost with the process.
 * @throws {InvalidOptionsError}
 * @publicApi
 */
export function memory(options: MemoryTransportOptions = {}): MemoryTransport {
  return new MemoryTransport(validateOptions('memory', MemoryTransportOptions, options));
}

/** @publicApi */
export class MemoryTransport implements Transport {
  readonly name = 'memory';
  readonly broker: MemoryBroker;
  private readonly prefetch: number;

  /** @internal */
  constructor(options: MemoryTransportOptions) {
    this.prefetch = options.prefetch ?? 300;
    this.broker =
      options.broker ??
      new MemoryBroker({
        totalCount: options.totalCount ?? 128,
        capacity: options.capacity ?? 100_000,
        deadLetterLimit: options.deadLetterLimit ?? 10_000,
      });
  }

  async connect({ clock }: TransportContext): Promise<TransportConnection> {
    return new MemoryConnection(this.broker, this.prefetch, clock);
  }
}

class MemoryConnection implements TransportConnection, Publisher {
  readonly durable = false;
  readonly publisher = this;
  private member: MemoryMember | undefined;
  private closed = false;

  constructor(
    private readonly broker: MemoryBroker,
    readonly prefetch: number,
    private readonly clock: Clock,
  ) {}

  get totalCount(): number {
    return this.broker.totalCount;
  }

  async publish(message: OutgoingMessage, timeout: number): Promise<void> {
    if (this.closed) throw closedError();
    return this.broker.publish(message, timeout, this, this.clock);
  }

  async consume(consumer: ShardConsumer): Promise<void> {
    this.member = { consumer, prefetch: this.prefetch, clock: this.clock };
    this.broker.join(this.member);
  }

  status(): TransportStatus {
    const shards = this.member === undefined ? 0 : this.broker.ownedBy(this.member);
    return { connected: !this.closed, blocked: this.broker.blocked, shards };
  }

  stopClaiming(): void {
    if (this.member !== undefined) this.broker.leave(this.member);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.broker.abandon(this, closedError);
    if (this.member !== undefined) this.broker.expel(this.member, new Error('the transport was closed'));
  }
}

function closedError(): PublishError {
  return new PublishError('closed', 'The embedded transport is closed: the app has shut down.');
}
