import { expects, IsCount, IsMilliseconds, Nested, Optional } from '@mississippi/core/transport';
import { IsHost, IsOneOf, IsPem, IsSwitch, IsText, IsUrls } from './validators.js';

/**
 * TLS of the connections. The server's certificate is verified unless that is switched off on purpose.
 * @publicApi
 */
export class RabbitMqTlsOptions {
  /** Certificate authorities to trust instead of the system's, PEM. */
  @Optional()
  @IsPem({ list: true })
  ca?: string | Buffer | (string | Buffer)[];

  /** Client certificate, PEM. */
  @Optional()
  @IsPem()
  cert?: string | Buffer;

  /** Key of the client certificate, PEM. */
  @Optional()
  @IsPem()
  key?: string | Buffer;

  @Optional()
  @IsText()
  passphrase?: string;

  /** Name to verify instead of the host's. */
  @Optional()
  @IsText()
  servername?: string;

  /** Default `true`. `false` takes any certificate: for tests only. */
  @Optional()
  @IsSwitch()
  rejectUnauthorized?: boolean;
}

/**
 * Waits between attempts to connect: doubled from `initial` up to `max`, with jitter.
 * @publicApi
 */
export class RabbitMqReconnectOptions {
  /** Milliseconds, default 100. */
  @Optional()
  @IsMilliseconds({ min: 1 })
  initial?: number;

  /** Milliseconds, default 5,000. */
  @Optional()
  @IsMilliseconds({ min: 1 })
  max?: number;
}

/**
 * The queues that are shared by all apps of one prefix.
 * @publicApi
 */
export class RabbitMqQueuesOptions {
  /**
   * What the queues' names begin with. Default `mississippi_`, and for an instance with a name `mississippi_<name>_`, the
   * name percent-encoded.
   */
  @Optional()
  @IsText(/^[\w.:-]{0,200}$/, 'up to 200 letters, digits, _ . : - were expected')
  prefix?: string;

  /** Number of shards; the same in every app that shares the queues. Default 128. */
  @Optional()
  @IsCount({ max: 65_536 })
  totalCount?: number;

  /** `'classic'` (default) can be shared with Mississippi for Elixir, `'quorum'` is replicated. */
  @Optional()
  @IsOneOf('classic', 'quorum')
  type?: 'classic' | 'quorum';

  /**
   * Whether what is missing is made. Default `true`. `false` is for a process that publishes and operates only (`producerOnly`): it makes
   * nothing, so that it needs no right to configure, and refuses to start where no app has made the queues.
   */
  @Optional()
  @IsSwitch()
  declare?: boolean;
}

/**
 * How to reach RabbitMQ, and what the queues are. Every option may be left out.
 * @publicApi
 */
export class RabbitMqOptions {
  /**
   * Brokers to try in turn: `amqp://user:password@host:port/vhost`, or `amqps://` for TLS. Instead of `host` and its kin.
   * Behind a `?` may stand `heartbeat`, `connection_timeout`, `frameMax`, `channelMax` and `locale`, for that broker only.
   */
  @Optional()
  @IsUrls()
  @Fits(
    ({ host, port, username, password, virtualHost }) =>
      [host, port, username, password, virtualHost].every((part) => part === undefined),
    'either urls or host, port, username, password and virtualHost were expected',
  )
  urls?: string[];

  /**
   * In which order the urls are tried: as they are given (default), or another one for each connection and each time that it was
   * lost, so that many processes spread over the nodes of a cluster.
   */
  @Optional()
  @IsOneOf('given', 'random')
  urlOrder?: 'given' | 'random';

  /** Name or address, without a port. Default `localhost`. */
  @Optional()
  @IsHost()
  host?: string;

  /** Default 5672, with TLS 5671. */
  @Optional()
  @IsCount({ max: 65_535 })
  port?: number;

  /** Default `guest`. */
  @Optional()
  @IsText()
  username?: string;

  /** Default `guest`. */
  @Optional()
  @IsText()
  password?: string;

  /** Default `/`. */
  @Optional()
  @IsText(/./, 'a string of at least one character was expected')
  virtualHost?: string;

  @Optional()
  @Nested(() => RabbitMqTlsOptions)
  @Fits(
    ({ urls }) => !Array.isArray(urls) || urls.every((url) => /^amqps:/i.test(url)),
    'urls that begin with amqps:// were expected beside it',
  )
  tls?: RabbitMqTlsOptions;

  /** Seconds, default 10. */
  @Optional()
  @IsCount({ max: 600 })
  heartbeat?: number;

  /** How long one attempt to connect may take. Milliseconds, default 10,000. */
  @Optional()
  @IsMilliseconds({ min: 1 })
  connectTimeout?: number;

  /**
   * How long the app waits, when it starts, for a broker that is not there yet. Milliseconds, default 0: each url is tried
   * once. `Infinity` waits for ever. A broker that refuses the user is not waited for.
   */
  @Optional()
  @IsMilliseconds({ infinity: true })
  startTimeout?: number;

  @Optional()
  @Nested(() => RabbitMqReconnectOptions)
  reconnect?: RabbitMqReconnectOptions;

  @Optional()
  @Nested(() => RabbitMqQueuesOptions)
  queues?: RabbitMqQueuesOptions;

  /**
   * Whose the queues are. Every process that consumes has to say the same as the one before: two applications would take each
   * other's messages. Default the instance's name and that of its handler's class, `default/FlightHandler`; set it when class
   * names change, or are minified, or when two differing programs are to share the shards.
   */
  @Optional()
  @IsText(/^[^\p{Cc}']{1,100}$/u, "1 to 100 characters without ' were expected")
  application?: string;

  /** Exchange to publish to. Default `''`, the broker's own. Another is declared direct and durable, and the queues bound. */
  @Optional()
  @IsText()
  exchange?: string;

  /** Most unsettled deliveries of one queue. Default 300. */
  @Optional()
  @IsCount({ max: 65_535 })
  prefetch?: number;

  /**
   * Messages published and not confirmed above which `publish` waits. One queue fills half of it at most, and a queue that has
   * none unconfirmed may always have one. Default 10,000.
   */
  @Optional()
  @IsCount()
  publishBuffer?: number;

  /**
   * Largest body that `publish` takes; signals and their answers may be as large too, up to 16 MB. No more than the broker's
   * `max_message_size`. Bytes, default 16,777,216 (16 MiB).
   */
  @Optional()
  @IsCount()
  maxMessageSize?: number;

  /** The broker's `consumer_timeout`, which it tells nobody. Milliseconds, default 1,800,000 (30 minutes). */
  @Optional()
  @IsMilliseconds({ min: 1 })
  deliveryTimeout?: number;

  /** Most shards that this process may own. Default: all. */
  @Optional()
  @IsCount()
  maxShards?: number;

  /**
   * This process's part of the shards beside the other processes' weights: one of weight 2 gets twice as many as one of weight 1.
   * Default 1.
   */
  @Optional()
  @IsCount({ max: 1_000 })
  weight?: number;

  /**
   * How often this process looks whether the others have a coordinator, and after itself where they have none; less often where
   * more than 20 processes share the shards. Milliseconds, default 500.
   */
  @Optional()
  @IsMilliseconds({ min: 1 })
  claimInterval?: number;
}

/** Agrees with the other options. */
function Fits(test: (options: RabbitMqOptions) => boolean, expected: string): PropertyDecorator {
  return expects((_value, { object }) => test(object), expected);
}
