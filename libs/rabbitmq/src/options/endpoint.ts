import { isIPv6 } from 'node:net';
import type { Options } from 'amqplib';

/** What an endpoint is made of. */
export interface EndpointParts {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly virtualHost: string;
  /** Seconds. */
  readonly heartbeat: number;
  /** How long one attempt to connect may take. Milliseconds. */
  readonly connectTimeout: number;
  readonly frameMax: number | undefined;
  readonly channelMax: number | undefined;
  readonly locale: string | undefined;
}

/** One broker to connect to. No view of it shows the password. */
export class Endpoint {
  /** What people may see. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string;
  readonly virtualHost: string;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds, as it is asked for; the broker may want less. */
  readonly heartbeat: number;
  readonly #address: Options.Connect;

  constructor(parts: EndpointParts) {
    const { tls, host, port, username, password, virtualHost, heartbeat, frameMax, channelMax, locale } = parts;
    this.name = `${tls ? 'amqps' : 'amqp'}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
    this.host = host;
    this.port = port;
    this.tls = tls;
    this.username = username;
    this.virtualHost = virtualHost;
    this.connectTimeout = parts.connectTimeout;
    this.heartbeat = heartbeat * 1_000;
    this.#address = {
      protocol: tls ? 'amqps' : 'amqp',
      hostname: host,
      port,
      username,
      password,
      vhost: encodeURIComponent(virtualHost), // amqplib decodes it.
      heartbeat,
      ...(frameMax === undefined ? {} : { frameMax }),
      ...(channelMax === undefined ? {} : { channelMax }),
      ...(locale === undefined ? {} : { locale }),
    };
  }

  /** As the client takes it, with the password. An object: a url cannot name every virtual host, such as `..`. */
  address(): Options.Connect {
    return this.#address;
  }
}
