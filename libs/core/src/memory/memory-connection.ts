import type { Clock } from '../clock/clock.interface.js';
import { PublishError } from '../errors/index.js';
import type { TransportStatus } from '../interfaces/status.interface.js';
import type {
  OutgoingMessage,
  Publisher,
  ShardConsumer,
  TransportConnection,
} from '../transport/transport.interface.js';
import type { Producer } from './broker/admission.js';
import type { BrokerParts } from './broker/broker-parts.js';
import type { MemoryMember } from './broker/memory-member.js';

/** One app's connection to the embedded broker. */
export class MemoryConnection implements TransportConnection, Publisher, Producer {
  readonly totalCount: number;
  readonly durable = false;
  readonly publisher = this;
  private member: MemoryMember | undefined;
  private closed = false;

  constructor(
    private readonly broker: BrokerParts,
    readonly prefetch: number,
    readonly clock: Clock,
  ) {
    this.totalCount = broker.shards.length;
  }

  async publish(message: OutgoingMessage, timeout: number): Promise<void> {
    if (this.closed) throw closedError();
    return this.broker.admission.publish(message, timeout, this);
  }

  async consume(consumer: ShardConsumer): Promise<void> {
    this.member = { consumer, prefetch: this.prefetch, clock: this.clock };
    this.broker.ownership.join(this.member);
  }

  status(): TransportStatus {
    const shards = this.member === undefined ? 0 : this.broker.ownership.ownedBy(this.member);
    return { connected: !this.closed, blocked: this.broker.admission.blocked, shards };
  }

  stopClaiming(): void {
    if (this.member !== undefined) this.broker.ownership.leave(this.member);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.broker.admission.abandon(this, closedError);
    if (this.member !== undefined) this.broker.ownership.expel(this.member, new Error('the transport was closed'));
  }
}

function closedError(): PublishError {
  return new PublishError('closed', 'The embedded transport is closed: the app has shut down.');
}
