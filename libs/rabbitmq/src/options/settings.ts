import type { RabbitMqOptions, RabbitMqTlsOptions } from './rabbitmq.options.js';

/** One broker to connect to. `url` holds the credentials and goes to the client only; `name` is what people may see. */
export interface Endpoint {
  readonly url: string;
  readonly name: string;
}

/** The options with every default filled in. */
export interface Settings {
  readonly endpoints: readonly Endpoint[];
  readonly tls: RabbitMqTlsOptions;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds. */
  readonly heartbeat: number;
  readonly reconnect: { readonly initial: number; readonly max: number };
  readonly prefix: string;
  readonly totalCount: number;
  readonly quorum: boolean;
  readonly exchange: string;
  readonly prefetch: number;
  readonly publishBuffer: number;
  readonly maxMessageSize: number;
  readonly deliveryTimeout: number;
  readonly maxShards: number;
  readonly claimInterval: number;
}

export function settingsOf(options: RabbitMqOptions): Settings {
  const heartbeat = options.heartbeat ?? 10;
  const { queues = {}, reconnect = {} } = options;
  return {
    endpoints: (options.urls ?? [urlOf(options)]).map((url) => endpoint(url, heartbeat)),
    tls: options.tls ?? {},
    connectTimeout: options.connectTimeout ?? 10_000,
    heartbeat: heartbeat * 1_000,
    reconnect: { initial: reconnect.initial ?? 100, max: reconnect.max ?? 5_000 },
    prefix: queues.prefix ?? 'mississippi_',
    totalCount: queues.totalCount ?? 128,
    quorum: queues.type === 'quorum',
    exchange: options.exchange ?? '',
    prefetch: options.prefetch ?? 300,
    publishBuffer: options.publishBuffer ?? 10_000,
    maxMessageSize: options.maxMessageSize ?? 16 * 1024 * 1024,
    deliveryTimeout: options.deliveryTimeout ?? 1_800_000,
    maxShards: options.maxShards ?? Infinity,
    claimInterval: options.claimInterval ?? 500,
  };
}

function urlOf({
  host = 'localhost',
  port,
  username = 'guest',
  password = 'guest',
  virtualHost = '/',
  tls,
}: RabbitMqOptions): string {
  const scheme = tls === undefined ? 'amqp' : 'amqps';
  const credentials = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  const name = host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${credentials}@${name}:${port ?? (tls === undefined ? 5672 : 5671)}/${encodeURIComponent(virtualHost)}`;
}

function endpoint(text: string, heartbeat: number): Endpoint {
  const url = new URL(text);
  url.searchParams.set('heartbeat', String(heartbeat));
  return { url: url.href, name: `${url.protocol}//${url.host}` };
}
