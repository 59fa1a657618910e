import type { Clock } from '../clock/clock.interface.js';
import { LogLimit } from '../engine/base/log-limit.js';
import { PublishError } from '../errors/index.js';
import type { TransportStatus } from '../interfaces/status.interface.js';
import type {
  OutgoingMessage,
  Publisher,
  ShardConsumer,
  TransportConnection,
  TransportContext,
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
  private claims = true;
  private closed = false;
  readonly clock: Clock;

  constructor(
    private readonly broker: BrokerParts,
    readonly prefetch: number,
    private readonly context: TransportContext,
  ) {
    this.totalCount = broker.shards.length;
    this.clock = context.clock;
  }

  async publish(message: OutgoingMessage, timeout: number): Promise<void> {
    if (this.closed) throw closedError();
    return this.broker.admission.publish(message, timeout, this);
  }

  async consume(consumer: ShardConsumer): Promise<void> {
    if (!this.claims) return;
    this.member = this.memberFor(consumer);
    this.broker.ownership.join(this.member);
  }

  status(): TransportStatus {
    const shards = this.member === undefined ? 0 : this.broker.ownership.ownedBy(this.member);
    const { admission, deadLetters } = this.broker;
    return { connected: !this.closed, blocked: admission.blocked, shards, droppedDeadLetters: deadLetters.dropped };
  }

  stopClaiming(): void {
    this.claims = false;
    if (this.member !== undefined) this.broker.ownership.leave(this.member);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.claims = false;
    this.broker.admission.abandon(this, closedError);
    if (this.member !== undefined) this.broker.ownership.expel(this.member, new Error('the transport was closed'));
  }

  private memberFor(consumer: ShardConsumer): MemoryMember {
    const { prefetch, clock, context, broker } = this;
    const limit = new LogLimit(clock);
    const deadLetterDropped = (): void => {
      limit.tell((more) => {
        context.logger.warn(
          `The embedded dead letters are full: the oldest was dropped, since only the latest ${broker.deadLetters.limit} are kept${more}. Read them with broker.takeDeadLetters(), or raise deadLetterLimit.`,
        );
      });
    };
    return { consumer, prefetch, clock, deadLetterDropped };
  }
}

function closedError(): PublishError {
  return new PublishError('closed', 'The embedded transport is closed: the app has shut down.');
}
