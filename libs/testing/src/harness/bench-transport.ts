import { memory, PublishError } from '@mississippi/core';
import type {
  OutgoingMessage,
  Publisher,
  ShardConsumer,
  Transport,
  TransportConnection,
  TransportContext,
  TransportStatus,
} from '@mississippi/core/transport';
import type { BrokerWorld } from './broker-world.interface.js';
import type { Life } from './life.js';

/** What stands for the broker: the embedded one, which outlives each life of the app's process. */
export class BenchTransport implements Transport {
  readonly name = 'memory';

  constructor(
    private readonly world: BrokerWorld,
    private readonly life: Life,
  ) {}

  async connect(context: TransportContext): Promise<TransportConnection> {
    const { world, life } = this;
    const logger = { log: () => undefined, warn: () => undefined, error: () => undefined };
    const transport = memory({ broker: world.broker, prefetch: world.prefetch });
    life.transport = await transport.connect({ ...context, logger });
    return new BenchConnection(life.transport, world, life);
  }
}

class BenchConnection implements TransportConnection, Publisher {
  readonly totalCount: number;
  readonly prefetch: number;
  /** The broker outlives the process. */
  readonly durable = true;
  readonly publisher = this;

  constructor(
    private readonly inner: TransportConnection,
    private readonly world: BrokerWorld,
    private readonly life: Life,
  ) {
    this.totalCount = inner.totalCount;
    this.prefetch = inner.prefetch;
  }

  get heedsCallbacks(): boolean {
    return this.inner.publisher.heedsCallbacks === true;
  }

  async publish(message: OutgoingMessage, timeout: number, fromCallback?: boolean): Promise<void> {
    const { world, life, inner } = this;
    if (life.ended) throw new PublishError('closed', 'The process of the app is gone: the test let it crash.');
    const { absence } = world;
    if (absence?.publishes === 'reject') {
      throw new PublishError('refused', 'The broker is away: the test sent it away by brokerAway().');
    }
    if (absence === undefined) {
      world.published(message);
      if (!world.delivers(message)) return;
      await life.track('publish', inner.publisher.publish(message, timeout, fromCallback));
      return;
    }
    // It is published when the broker takes it, which the world tells before anybody hears of it.
    world.waiting.add(message);
    const taken = world.delivers(message) ? inner.publisher.publish(message, timeout, fromCallback) : absence.over;
    try {
      await life.track('publish', taken);
    } finally {
      world.waiting.delete(message);
    }
  }

  async deadLetter(letter: OutgoingMessage, timeout: number): Promise<void> {
    await this.life.track('publish', this.inner.publisher.deadLetter!(letter, timeout));
  }

  consume(consumer: ShardConsumer): Promise<void> {
    const { world, life, inner } = this;
    return inner.consume({
      takesActions: consumer.takesActions ?? true,
      pauseTypes: (types) => consumer.pauseTypes?.(types),
      open: (session) => {
        if (world.absence === undefined) return consumer.open(session);
        return world.absence.over.then(() => {
          if (life.ended) throw new Error('the process of the app is gone');
          return consumer.open(session);
        });
      },
    });
  }

  status(): TransportStatus {
    const status = this.inner.status();
    return { ...status, connected: status.connected && this.world.absence === undefined };
  }

  setIntake(process: string, paused: boolean, timeout: number): Promise<void> {
    return this.inner.setIntake!(process, paused, timeout);
  }

  setTypePaused(type: string, paused: boolean, timeout: number): Promise<void> {
    return this.inner.setTypePaused!(type, paused, timeout);
  }

  pausedTypes(timeout: number): Promise<readonly string[]> {
    return this.inner.pausedTypes!(timeout);
  }

  stopClaiming(): void {
    this.world.closes();
    this.inner.stopClaiming();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
