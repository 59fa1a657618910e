import type { ChannelModel } from 'amqplib';
import { limitsOf } from '../connection/client.js';
import type { Endpoint } from '../options/endpoint.js';

/**
 * What a broker says of itself, and as whom it knows us. No password is in it.
 * @publicApi
 */
export interface BrokerFacts {
  /** Scheme, host and port. */
  readonly name: string;
  readonly virtualHost: string;
  readonly username: string;
  /** `RabbitMQ`. */
  readonly product: string;
  readonly version: string;
  readonly cluster: string;
  /** Seconds, as agreed upon. */
  readonly heartbeat: number;
  readonly channelMax: number;
}

/** What amqplib 2.3 keeps of the broker's greeting; its types leave it out. */
interface Greeted {
  readonly serverProperties: Readonly<Record<string, unknown>>;
}

export function factsOf(model: ChannelModel, { name, virtualHost, username }: Endpoint): BrokerFacts {
  const { serverProperties } = model.connection as unknown as Greeted;
  const text = (property: string): string => {
    const value = serverProperties[property];
    return typeof value === 'string' ? value : '';
  };
  const { heartbeat, channelMax } = limitsOf(model);
  return {
    name,
    virtualHost,
    username,
    product: text('product'),
    version: text('version'),
    cluster: text('cluster_name'),
    heartbeat: heartbeat / 1_000,
    channelMax,
  };
}
