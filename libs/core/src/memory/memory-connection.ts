import type { Clock } from '../clock/clock.interface.js';
import { LogLimit } from '../log-limit.js';
import { PublishError } from '../errors/index.js';
import type { TransportStatus } from '../interfaces/status.interface.js';
import type {
  Backlog,
  DeadLetterReader,
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
  private intakePaused = false;
  readonly clock: Clock;

  constructor(
    private readonly broker: BrokerParts,
    readonly prefetch: number,
    /** Whether others may have the broker too, so that messages outlive the connection. */
    private readonly shared: boolean,
    private readonly context: TransportContext,
  ) {
    this.totalCount = broker.shards.length;
    this.clock = context.clock;
  }

  get backlog(): Backlog | undefined {
    return this.shared ? undefined : this.broker.backlog;
  }

  get heedsCallbacks(): boolean {
    return this.broker.admission.fills;
  }

  async publish(message: OutgoingMessage, timeout: number, fromCallback = false): Promise<void> {
    if (this.closed || this.forsaken) throw closedError();
    return this.broker.admission.publish(message, timeout, this, fromCallback);
  }

  async deadLetter({ key, body, headers, messageId, timestamp, properties }: OutgoingMessage): Promise<void> {
    await this.broker.admission.taking();
    if (this.closed) throw closedError();
    if (this.broker.deadLetters.keep({ key, body, headers, messageId, timestamp, properties }))
      this.member?.deadLetterDropped?.();
  }

  async consume(consumer: ShardConsumer): Promise<void> {
    if (!this.claims) return;
    this.member = this.memberFor(consumer);
    this.broker.pauses.add(consumer);
    if (!this.intakePaused) this.broker.ownership.join(this.member);
  }

  async backlogs(): Promise<number[]> {
    return this.broker.shards.map(({ queue }) => queue.ready.length);
  }

  async readDeadLetters(): Promise<DeadLetterReader> {
    return this.broker.deadLetters.read();
  }

  /** Where nobody else takes part, the shards have no owner then. */
  async setIntake(_process: string, paused: boolean): Promise<void> {
    const { member } = this;
    if (paused === this.intakePaused) return;
    this.intakePaused = paused;
    if (member === undefined || !this.claims) return;
    if (paused) this.broker.ownership.withdraw(member);
    else this.broker.ownership.join(member);
  }

  async setTypePaused(type: string, paused: boolean): Promise<void> {
    this.broker.pauses.set(type, paused);
  }

  async pausedTypes(): Promise<readonly string[]> {
    return this.broker.pauses.types;
  }

  status(): TransportStatus {
    const shards = this.member === undefined ? 0 : this.broker.ownership.ownedBy(this.member);
    const { admission, deadLetters } = this.broker;
    const { intakePaused } = this;
    const blocked = { blocked: admission.blocked, droppedDeadLetters: deadLetters.dropped };
    return { connected: !this.closed, shards, ...blocked, ...(intakePaused ? { intakePaused } : {}) };
  }

  stopClaiming(): void {
    this.claims = false;
    if (this.member !== undefined) this.broker.ownership.leave(this.member);
    if (this.forsaken) this.broker.admission.abandon(this, closedError);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.claims = false;
    this.broker.admission.abandon(this, closedError);
    if (this.member === undefined) return;
    this.broker.pauses.remove(this.member.consumer);
    this.broker.ownership.expel(this.member, new Error('the transport was closed'));
    if (this.shared) this.tellWhatStays();
  }

  /** Whether nobody will ever handle what is published now. */
  private get forsaken(): boolean {
    return !this.shared && !this.claims;
  }

  private tellWhatStays(): void {
    const { backlog, ownership } = this.broker;
    const { queued, parked } = backlog;
    if (ownership.claimed || queued + parked === 0) return;
    this.context.logger.warn(
      `Nobody consumes from the shared embedded broker any more, and it holds ${queued} queued and ${parked} parked messages: they are lost unless another app of this process takes over.`,
    );
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
