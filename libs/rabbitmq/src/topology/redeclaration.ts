import type { Clock } from '@mississippi/core/transport';
import type { ChannelModel } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { pause, within } from '../connection/timers.js';
import { RabbitMqAccessError, RabbitMqSetupError } from '../errors/rabbitmq.errors.js';
import { reasonOf } from '../errors/reason.js';
import type { Topology } from './topology.js';

/** How long publishing waits for the queues of a connection: one that hangs must not hold up the others. Milliseconds. */
const MOST_WAIT = 5_000;
/** How soon to try again what failed. Milliseconds. */
const AGAIN = 200;

/**
 * Declares the queues again: on each new connection, since a broker may come back empty or be another, and when a message found
 * no queue.
 */
export class Redeclaration {
  /** The one under way, and its connection. */
  private running: { readonly model: ChannelModel; readonly done: Promise<boolean> } | undefined;

  constructor(
    private readonly topology: Topology,
    private readonly connection: BrokerConnection,
    private readonly clock: Clock,
    private readonly warnings: {
      warn(about: string, text: string): void;
      warnOf(about: string, shard: number, text: string): void;
    },
  ) {}

  /**
   * Resolves when the queues are there, so that what is sent to them is not returned; or when they cannot be declared, or that
   * takes too long. Never rejects.
   */
  async ready(model: ChannelModel): Promise<void> {
    const { clock } = this;
    const end = clock.now() + MOST_WAIT;
    while (this.connection.current === model && clock.now() < end) {
      const settled = await within(clock, end - clock.now(), this.declare(model)).catch(() => true);
      if (settled) return;
      await pause(clock, AGAIN);
    }
  }

  /** Declares them. Many messages may find no queue, so one declaration serves all that come meanwhile. */
  again(): void {
    const model = this.connection.current;
    if (model !== undefined) void this.declare(model);
  }

  /** Tells of a shard whose queues could not be declared. */
  notDeclared(shard: number, error: unknown): void {
    this.warnings.warnOf('declare', shard, `The queues of shard ${shard} cannot be declared: ${reasonOf(error)}`);
  }

  private declare(model: ChannelModel): Promise<boolean> {
    if (this.running?.model === model) return this.running.done;
    const done = this.attempt(model).finally(() => {
      if (this.running?.done === done) this.running = undefined;
    });
    this.running = { model, done };
    return done;
  }

  /** Returns whether another try would change nothing. */
  private async attempt(model: ChannelModel): Promise<boolean> {
    try {
      await this.topology.declare(model, (shard, error) => {
        if (this.connection.current !== model) throw error;
        this.notDeclared(shard, error);
      });
      return true;
    } catch (error) {
      // The next connection, or the next message without a queue, tries again.
      if (this.connection.current === model)
        this.warnings.warn('declare', `The queues cannot be declared: ${reasonOf(error)}`);
      return error instanceof RabbitMqSetupError || error instanceof RabbitMqAccessError;
    }
  }
}
