import { IsCount, IsInstance, Optional } from '../options/validators.js';
import { validateOptions } from '../options/validate-options.js';
import type { Transport, TransportConnection, TransportContext } from '../transport/transport.interface.js';
import { MemoryBroker, partsOf } from './memory-broker.js';
import { MemoryConnection } from './memory-connection.js';

/**
 * The options of the embedded transport.
 * @publicApi
 */
export class MemoryTransportOptions {
  /** Number of shards. Default 128. */
  @Optional()
  @IsCount()
  totalCount?: number;

  /** Maximum number of unsettled deliveries per shard. Default 300. */
  @Optional()
  @IsCount()
  prefetch?: number;

  /** Messages that are not settled above which `publish` waits. Default 100,000. */
  @Optional()
  @IsCount({ infinity: true })
  capacity?: number;

  /** Dead letters that are kept for `broker.takeDeadLetters()`; above it the oldest are dropped, with a warning. Default 10,000. */
  @Optional()
  @IsCount({ infinity: true })
  deadLetterLimit?: number;

  /** A broker to share with other apps of this process; the options above that belong to it are then its own. */
  @Optional()
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

/**
 * What {@link memory} makes.
 * @publicApi
 */
export class MemoryTransport implements Transport {
  readonly name = 'memory';
  /** What holds the messages, for a look inside, for tests, and to be shared with another app. */
  readonly broker: MemoryBroker;
  /** Whether the broker was given, so that other apps may have it too. */
  readonly shared: boolean;
  private readonly prefetch: number;

  /** @internal */
  constructor(options: MemoryTransportOptions) {
    this.prefetch = options.prefetch ?? 300;
    this.shared = options.broker !== undefined;
    this.broker =
      options.broker ??
      new MemoryBroker({
        totalCount: options.totalCount ?? 128,
        capacity: options.capacity ?? 100_000,
        deadLetterLimit: options.deadLetterLimit ?? 10_000,
      });
  }

  async connect(context: TransportContext): Promise<TransportConnection> {
    return new MemoryConnection(partsOf(this.broker), this.prefetch, this.shared, context);
  }
}
