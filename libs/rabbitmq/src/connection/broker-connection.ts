import { EventEmitter } from 'node:events';
import type { LoggerService } from '@nestjs/common';
import type { Clock, Timer } from '@mississippi/core/transport';
import type { ChannelModel } from 'amqplib';
import { RabbitMqUnreachableError } from '../errors/rabbitmq.errors.js';
import { reasonOf } from '../errors/reason.js';
import type { Settings } from '../options/settings.js';
import { openModel, streamOf } from './client.js';
import { explainRefusal, isRefusal } from './refusal.js';
import { within } from './timers.js';

/** How long the broker may take to say goodbye. Milliseconds. */
const CLOSE_TIMEOUT = 1_000;

interface ConnectionEvents {
  /** A connection is open. */
  up: [ChannelModel];
  /** It is gone, with everything on it. */
  down: [Error];
}

/**
 * One connection to the broker that comes back by itself: with backoff, to whichever of the endpoints answers. It logs
 * one line when it goes and one when it is back.
 */
export class BrokerConnection extends EventEmitter<ConnectionEvents> {
  private model: ChannelModel | undefined;
  private isBlocked = false;
  private closed = false;
  private failures = 0;
  private heardAt = 0;
  private retry: Timer | undefined;

  constructor(
    private readonly settings: Settings,
    /** What it is for, in logs and in the broker's list of connections. */
    private readonly purpose: string,
    private readonly logger: LoggerService,
    private readonly clock: Clock,
  ) {
    super();
    this.setMaxListeners(0);
  }

  get current(): ChannelModel | undefined {
    return this.model;
  }

  /** For how long nothing was heard of the broker; 0 without a connection. Milliseconds. */
  get silence(): number {
    return this.model === undefined ? 0 : this.clock.now() - this.heardAt;
  }

  /** Whether the broker takes no messages on this connection at present. */
  get blocked(): boolean {
    return this.isBlocked;
  }

  /**
   * Connects for the first time: tries each endpoint once.
   * @throws {RabbitMqUnreachableError} where none answers
   * @throws {RabbitMqSetupError} where the broker refuses user or virtual host
   */
  async start(): Promise<void> {
    let last: unknown;
    for (const endpoint of this.settings.endpoints) {
      if (this.closed) break;
      try {
        const model = await openModel(endpoint.url, this.settings, this.purpose);
        if (!this.closed) {
          this.adopt(model);
          return;
        }
        await model.close().catch(() => undefined);
      } catch (error) {
        if (isRefusal(error)) throw explainRefusal(endpoint.name, error);
        last = error;
      }
    }
    if (this.closed) throw new Error('the connection was closed while it was opened');
    throw new RabbitMqUnreachableError(
      this.settings.endpoints.map(({ name }) => name),
      last,
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    this.retry?.cancel();
    const { model } = this;
    if (model === undefined) return;
    this.lose(new Error('the connection was closed'));
    // amqplib's close can wait for ever on a socket that was destroyed.
    await within(this.clock, CLOSE_TIMEOUT, model.close()).catch(() => undefined);
  }

  /** Ends the connection at once and lets it come back; for a peer that no longer answers. */
  reset(cause: Error): void {
    const { model } = this;
    if (model === undefined) return;
    this.lost(model, cause);
  }

  private adopt(model: ChannelModel): void {
    this.model = model;
    this.failures = 0;
    this.heardAt = this.clock.now();
    streamOf(model).on('readable', () => {
      if (this.model === model) this.heardAt = this.clock.now();
    });
    model.on('error', (error: Error) => this.lost(model, error));
    model.on('close', (error?: Error) => this.lost(model, error ?? new Error('the broker closed the connection')));
    model.on('blocked', (reason: string) => {
      this.isBlocked = true;
      this.logger.warn(`RabbitMQ takes no messages on the connection '${this.purpose}' (${reason}); publishing waits.`);
    });
    model.on('unblocked', () => {
      this.logger.log(`RabbitMQ takes messages on the connection '${this.purpose}' again.`);
      this.isBlocked = false;
    });
    this.emit('up', model);
  }

  private lost(model: ChannelModel, cause: Error): void {
    if (this.model !== model) return;
    this.logger.warn(`The connection '${this.purpose}' to RabbitMQ was lost (${reasonOf(cause)}); connecting again.`);
    // A peer that fell silent would keep the socket open for long; with the cause amqplib ends what is left of it.
    streamOf(model).destroy(cause);
    this.lose(cause);
    this.reconnect();
  }

  private lose(cause: Error): void {
    this.model = undefined;
    this.isBlocked = false;
    this.emit('down', cause);
  }

  private reconnect(): void {
    if (this.closed || this.retry !== undefined) return;
    const { initial, max } = this.settings.reconnect;
    const bound = Math.min(max, initial * 2 ** this.failures);
    this.retry = this.clock.after(bound * (0.5 + Math.random() / 2), () => void this.tryAgain());
  }

  private async tryAgain(): Promise<void> {
    const { endpoints } = this.settings;
    const endpoint = endpoints[this.failures % endpoints.length]!;
    try {
      const model = await openModel(endpoint.url, this.settings, this.purpose);
      this.retry = undefined;
      if (this.closed) {
        await model.close();
        return;
      }
      this.logger.log(`The connection '${this.purpose}' to RabbitMQ is back, at ${endpoint.name}.`);
      this.adopt(model);
    } catch {
      this.retry = undefined;
      this.failures++;
      this.reconnect();
    }
  }
}
