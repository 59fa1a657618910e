import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import type { Capability, DeadLetter, OpenOptions, RawMessage, TransportHarness } from '@mississippi/testing/transport';
import { memory, MemoryBroker, systemClock, type Clock } from '../../src/index.js';

const logger = { log: () => undefined, warn: () => undefined, error: () => undefined };

/** The machine's clock, on which timers take a tenth of their time: so does the rest of a shard that was not opened. */
const hasty: Clock = {
  ...systemClock,
  after: (delay, callback, background) => systemClock.after(delay / 10, callback, background),
};

/** The embedded transport, prepared for the conformance suite: a broker for each case, shared by its connections. */
export class MemoryHarness implements TransportHarness {
  readonly within: number = 5_000;
  readonly durable = false;
  readonly unsupported: readonly Capability[] = ['signals'];
  protected broker: MemoryBroker | undefined;

  async reset(): Promise<void> {
    this.broker = undefined;
  }

  async open({ totalCount, prefetch }: OpenOptions): Promise<TransportConnection> {
    const broker = this.brokerOf(totalCount);
    return memory({ broker, prefetch }).connect({ instance: 'conformance', logger, clock: hasty, keyText: inspectKey });
  }

  /** What an embedded connection holds back nowhere but in the broker is gone with it. */
  async crash(connection: TransportConnection): Promise<void> {
    await connection.close();
  }

  async loseShard(_connection: TransportConnection, shard: number): Promise<void> {
    this.broker?.loseShard(shard);
  }

  async block(): Promise<void> {
    this.broker?.block();
  }

  async unblock(): Promise<void> {
    this.broker?.unblock();
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    return this.broker?.takeDeadLetters() ?? [];
  }

  async injectRaw(shard: number, message: RawMessage): Promise<void> {
    this.broker?.inject(shard, message);
  }

  /** The broker of the case. */
  protected brokerOf(totalCount: number): MemoryBroker {
    this.broker ??= new MemoryBroker({ totalCount, capacity: 100_000, deadLetterLimit: 10_000 });
    return this.broker;
  }
}
