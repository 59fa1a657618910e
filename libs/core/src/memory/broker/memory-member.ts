import type { Clock } from '../../clock/clock.interface.js';
import type { ShardConsumer } from '../../transport/transport.interface.js';

/** A consumer of the broker. Shards without an owner are offered to it while it claims. */
export interface MemoryMember {
  readonly consumer: ShardConsumer;
  /** Maximum number of unsettled deliveries per shard. */
  readonly prefetch: number;
  readonly clock: Clock;
  /** A dead letter was dropped, because this member brought one more than are kept. */
  deadLetterDropped?(): void;
}
