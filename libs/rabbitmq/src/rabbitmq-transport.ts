import type { Transport } from '@mississippi/core';
import type { TransportConnection, TransportContext } from '@mississippi/core/transport';
import { checkOptions } from './options/check-options.js';
import type { RabbitMqOptions } from './options/rabbitmq.options.js';
import { settingsIn, settingsOf, type OpenSettings } from './options/settings.js';
import { RabbitMqConnection } from './rabbitmq-connection.js';

/**
 * The transport whose shards are durable queues of RabbitMQ, 3.10 or newer; they may be shared with Mississippi for
 * Elixir.
 * @example
 * MississippiModule.forRoot({ transport: rabbitmq({ urls: ['amqp://localhost'] }) })
 * @throws {InvalidOptionsError} when an option is unknown or wrong; all of them are named, no secret is shown
 * @publicApi
 */
export function rabbitmq(options: RabbitMqOptions = {}): RabbitMqTransport {
  return new RabbitMqTransport(settingsOf(checkOptions(options)));
}

/**
 * What {@link rabbitmq} makes.
 * @publicApi
 */
export class RabbitMqTransport implements Transport {
  readonly name = 'rabbitmq';
  readonly #settings: OpenSettings;

  /** @internal */
  constructor(settings: OpenSettings) {
    this.#settings = settings;
  }

  /**
   * Connects and declares the queues.
   * @throws {RabbitMqUnreachableError} when no broker answers
   * @throws {RabbitMqSetupError} when the broker refuses the user, or remembers another shard count or queue type
   * @throws {RabbitMqAccessError} when the user lacks a right
   */
  async connect(context: TransportContext): Promise<TransportConnection> {
    const { instance, handler } = context;
    const connection = new RabbitMqConnection(settingsIn(this.#settings, instance, handler), context);
    await connection.start();
    return connection;
  }
}
