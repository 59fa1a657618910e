import { DEFAULT_INSTANCE } from '@mississippi/core';
import { parseBrokerUrl, type BrokerUrl } from './broker-url.js';
import { Endpoint } from './endpoint.js';
import type { RabbitMqOptions, RabbitMqTlsOptions } from './rabbitmq.options.js';

/** What the options leave to the instance that they are used in. */
export interface OpenSettings extends Omit<Settings, 'prefix' | 'application'> {
  readonly prefix: string | undefined;
  readonly application: string | undefined;
}

/** The options with every default filled in. */
export interface Settings {
  readonly endpoints: readonly Endpoint[];
  /** Whether the endpoints are tried in another order each time. */
  readonly shuffled: boolean;
  readonly tls: RabbitMqTlsOptions;
  /** How long a broker that is not there is waited for at the start. Milliseconds. */
  readonly startTimeout: number;
  readonly reconnect: { readonly initial: number; readonly max: number };
  readonly prefix: string;
  /** Who owns the queues. */
  readonly application: string;
  readonly totalCount: number;
  readonly quorum: boolean;
  /** Whether what is missing is made. */
  readonly declares: boolean;
  readonly exchange: string;
  readonly prefetch: number;
  readonly publishBuffer: number;
  readonly maxMessageSize: number;
  readonly deliveryTimeout: number;
  readonly maxShards: number;
  readonly weight: number;
  readonly claimInterval: number;
}

/** The defaults that an instance's name decides, and that of its handler's class. */
export function settingsIn(settings: OpenSettings, instance: string, handler = ''): Settings {
  const own = instance === DEFAULT_INSTANCE ? '' : `${encodeURIComponent(instance)}_`;
  return {
    ...settings,
    prefix: settings.prefix ?? `mississippi_${own}`,
    application: settings.application ?? (handler === '' ? instance : `${instance}/${handler}`),
  };
}

export function settingsOf(options: RabbitMqOptions): OpenSettings {
  const { queues = {}, reconnect = {} } = options;
  return {
    endpoints: (options.urls?.map(parseBrokerUrl) ?? [addressOf(options)]).map((url) => endpoint(url, options)),
    shuffled: options.urlOrder === 'random',
    tls: options.tls ?? {},
    startTimeout: options.startTimeout ?? 0,
    reconnect: { initial: reconnect.initial ?? 100, max: reconnect.max ?? 5_000 },
    prefix: queues.prefix,
    application: options.application,
    totalCount: queues.totalCount ?? 128,
    quorum: queues.type === 'quorum',
    declares: queues.declare ?? true,
    exchange: options.exchange ?? '',
    prefetch: options.prefetch ?? 300,
    publishBuffer: options.publishBuffer ?? 10_000,
    maxMessageSize: options.maxMessageSize ?? 16 * 1024 * 1024,
    deliveryTimeout: options.deliveryTimeout ?? 1_800_000,
    maxShards: options.maxShards ?? Infinity,
    weight: options.weight ?? 1,
    claimInterval: options.claimInterval ?? 500,
  };
}

/** The single parts, as a url would say them. */
function addressOf({ host = 'localhost', port, username, password, virtualHost, tls }: RabbitMqOptions): BrokerUrl {
  const plainHost = host.replace(/^\[(.*)\]$/, '$1');
  return { tls: tls !== undefined, host: plainHost, port, username, password, virtualHost, parameters: {} };
}

/** A url's own parameters go before the options. */
function endpoint({ parameters, ...url }: BrokerUrl, options: RabbitMqOptions): Endpoint {
  return new Endpoint({
    tls: url.tls,
    host: url.host,
    port: url.port ?? (url.tls ? 5671 : 5672),
    username: url.username ?? 'guest',
    password: url.password ?? 'guest',
    virtualHost: url.virtualHost ?? '/',
    heartbeat: parameters.heartbeat ?? options.heartbeat ?? 10,
    connectTimeout: parameters.connectTimeout ?? options.connectTimeout ?? 10_000,
    frameMax: parameters.frameMax,
    channelMax: parameters.channelMax,
    locale: parameters.locale,
  });
}
