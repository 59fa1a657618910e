import type { ChannelModel } from 'amqplib';
import { RabbitMqSetupError } from '../errors/rabbitmq.errors.js';
import type { Settings } from '../options/settings.js';

/** What is consumed by instances of this process, on which broker, and by which of them. */
const consumed = new Map<string, Set<Neighbour>>();

/** An instance of this process that consumes the queues of a prefix. */
export class Neighbour {
  private place: Set<Neighbour> | undefined;

  constructor(
    private readonly instance: string,
    private readonly settings: Settings,
  ) {}

  /**
   * Takes the queues for this instance.
   * @throws {RabbitMqSetupError} when another instance of this process has them
   */
  settle(model: ChannelModel): void {
    const { prefix } = this.settings;
    const address = `${brokerOf(model)} ${this.settings.endpoints[0]!.virtualHost} ${prefix}`;
    const place = consumed.get(address) ?? new Set();
    for (const { instance } of place) if (instance !== this.instance) throw this.refusal(instance);
    consumed.set(address, place.add(this));
    this.place = place;
  }

  leave(): void {
    this.place?.delete(this);
  }

  private refusal(other: string): RabbitMqSetupError {
    return new RabbitMqSetupError(
      `The instances '${other}' and '${this.instance}' of this process both consume the queues '${this.settings.prefix}*', and each would take ` +
        `the other's messages: give each a queues.prefix of its own.`,
    );
  }
}

/** The name of the broker, or of its cluster, as it introduces itself. */
function brokerOf(model: ChannelModel): string {
  const { cluster_name: name } = model.connection.serverProperties as { cluster_name?: unknown };
  return String(name);
}
