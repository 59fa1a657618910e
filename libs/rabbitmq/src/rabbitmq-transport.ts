import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { InvalidOptionsError, type ProcessInfo, type Transport, type TransportStatus } from '@mississippi/core';
import {
  validateOptions,
  type ShardConsumer,
  type TransportConnection,
  type TransportContext,
} from '@mississippi/core/transport';
import { BrokerConnection, within } from './broker-connection.js';
import { RabbitPublisher } from './publisher.js';
import { RabbitMqOptions } from './rabbitmq.options.js';
import { settingsOf, type Settings } from './settings.js';
import { ShardClaims } from './shard-claims.js';
import { RollCall } from './roll-call.js';
import { SignalLink } from './signal-link.js';
import { Topology } from './topology.js';

/** How long closing waits for confirms. Milliseconds. */
const FLUSH_TIMEOUT = 2_000;

/**
 * The transport whose shards are durable queues of RabbitMQ, 3.10 or newer; they may be shared with Mississippi for
 * Elixir.
 * @example
 * MississippiModule.forRoot({ transport: rabbitmq({ urls: ['amqp://localhost'] }) })
 * @throws {InvalidOptionsError}
 * @publicApi
 */
export function rabbitmq(options: RabbitMqOptions = {}): RabbitMqTransport {
  return new RabbitMqTransport(settingsOf(validated(options)));
}

/** Options whose values no error may show. */
const SECRET = /^rabbitmq\.(urls|username|password|tls\b.*)$/;

function validated(options: unknown): RabbitMqOptions {
  try {
    return validateOptions('rabbitmq', RabbitMqOptions, options);
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    throw new InvalidOptionsError(
      error.problems.map(({ path, expected }) => ({
        path,
        expected: SECRET.test(path) ? expected.replace(/, not [^]*$/, '') : expected,
      })),
    );
  }
}

/** @publicApi */
export class RabbitMqTransport implements Transport {
  readonly name = 'rabbitmq';
  readonly #settings: Settings;

  /** @internal */
  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * @throws {RabbitMqUnreachableError} when no broker answers
   * @throws {RabbitMqSetupError} when the broker refuses the user, or remembers another shard count or queue type
   */
  async connect(context: TransportContext): Promise<TransportConnection> {
    const connection = new RabbitMqConnection(this.#settings, context);
    await connection.start();
    return connection;
  }
}

/** Two connections: one publishes, one consumes, so that an alarm that stops publishers leaves consumers alone. */
class RabbitMqConnection implements TransportConnection {
  readonly durable = true;
  readonly totalCount: number;
  readonly prefetch: number;
  readonly deliveryTimeout: number;
  readonly publisher: RabbitPublisher;
  private readonly publishing: BrokerConnection;
  private readonly consuming: BrokerConnection;
  private readonly topology: Topology;
  private readonly claims: ShardClaims;
  private readonly signals: SignalLink;
  private readonly rollCall: RollCall;
  private consumes = false;
  private redeclaring = false;

  constructor(settings: Settings, { instance, logger }: TransportContext) {
    this.totalCount = settings.totalCount;
    this.prefetch = settings.prefetch;
    this.deliveryTimeout = settings.deliveryTimeout;
    const id = randomBytes(8).toString('hex');
    const name = `mississippi ${instance} ${hostname()}:${process.pid}:${id.slice(0, 4)}`;
    this.publishing = new BrokerConnection(settings, `${name} publishes`, logger);
    this.consuming = new BrokerConnection(settings, `${name} consumes`, logger);
    this.topology = new Topology(settings);
    this.publisher = new RabbitPublisher(this.publishing, settings, this.topology, () => void this.redeclare());
    const processQueue = `${settings.prefix}process.${id}`;
    this.signals = new SignalLink(this.publishing, this.topology, processQueue);
    this.rollCall = new RollCall(this.publishing, this.consuming, this.topology, processQueue, () => ({
      name,
      shards: this.claims.owned,
    }));
    this.claims = new ShardClaims(this.consuming, this.publisher, this.signals, settings, this.topology, logger);
  }

  async start(): Promise<void> {
    await this.publishing.start();
    try {
      await this.topology.declare(this.publishing.current!);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async consume(consumer: ShardConsumer): Promise<void> {
    this.consumes = true;
    await this.consuming.start();
    await this.claims.start(consumer);
  }

  status(): TransportStatus {
    const connected = this.publishing.current !== undefined && (!this.consumes || this.consuming.current !== undefined);
    return { connected, blocked: this.publishing.blocked || this.consuming.blocked, shards: this.claims.owned.length };
  }

  sendSignal(shard: number, key: Uint8Array, signal: unknown, timeout: number): Promise<unknown> {
    return this.signals.send(shard, key, signal, timeout);
  }

  processes(): Promise<ProcessInfo[]> {
    return this.rollCall.call();
  }

  stopClaiming(): void {
    this.claims.stop();
  }

  async close(): Promise<void> {
    this.claims.close();
    // What is on its way may still be confirmed; a broker that is away keeps nobody waiting.
    const taking = this.publishing.current !== undefined && !this.publishing.blocked;
    if (taking) await within(FLUSH_TIMEOUT, this.publisher.idle()).catch(() => undefined);
    this.publisher.close();
    await Promise.all([this.consuming.close(), this.publishing.close()]);
  }

  /** A message found no queue: somebody deleted it. Many may, so that one declaration serves all that come meanwhile. */
  private async redeclare(): Promise<void> {
    const model = this.publishing.current;
    if (model === undefined || this.redeclaring) return;
    this.redeclaring = true;
    await this.topology.declare(model).catch(() => undefined); // The next message without a queue tries again.
    this.redeclaring = false;
  }
}
