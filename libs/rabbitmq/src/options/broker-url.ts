import { LEAST_CHANNELS, LEAST_FRAME } from './limits.js';

/** What the url of a broker says, in the words of RabbitMQ's uri specification. What it leaves out is `undefined`. */
export interface BrokerUrl {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly virtualHost: string | undefined;
  readonly parameters: UrlParameters;
}

/** What may stand behind the question mark. */
export interface UrlParameters {
  /** Seconds. */
  readonly heartbeat?: number;
  /** Milliseconds. */
  readonly connectTimeout?: number;
  /** Bytes. */
  readonly frameMax?: number;
  readonly channelMax?: number;
  readonly locale?: string;
}

/** The parameters by all their names: amqplib's, and those of RabbitMQ's uri specification. */
const NAMES = new Map<string, keyof UrlParameters>([
  ['heartbeat', 'heartbeat'],
  ['connection_timeout', 'connectTimeout'],
  ['frameMax', 'frameMax'],
  ['frame_max', 'frameMax'],
  ['channelMax', 'channelMax'],
  ['channel_max', 'channelMax'],
  ['locale', 'locale'],
]);

/** The least and the most of those that are numbers. */
const RANGES = {
  heartbeat: [1, 600],
  connectTimeout: [1, 2 ** 31 - 1],
  frameMax: [LEAST_FRAME, 2 ** 32 - 1],
  channelMax: [LEAST_CHANNELS, 65_535],
} as const;

/** What a list of urls must be. */
export const URLS_EXPECTED =
  'a list of urls such as amqp://user:password@host:5672/vhost was expected (amqps:// for TLS; percent-encode special characters)';

/** What is wrong with a url, without a word of it that may be secret. */
export class UrlProblem extends Error {
  constructor(
    message: string = URLS_EXPECTED,
    /** Whether the rest of the url is as it should be. */
    readonly inParameters = false,
  ) {
    super(message);
  }
}

/** @throws {UrlProblem} */
export function parseBrokerUrl(value: unknown): BrokerUrl {
  if (typeof value !== 'string') throw new UrlProblem();
  // As every parser of urls does.
  const text = value.trim().replace(/[\t\r\n]/g, '');
  const { protocol, hostname, port, username, password, search, hash } = standardUrl(text);
  // Not the standard's path, which takes `..` for the parent folder. An @ in it comes of a / in a password.
  const path = /^[^/]*\/\/[^/?#]*\/([^?#]*)/.exec(text)?.[1] ?? '';
  const host = decoded(hostname).replace(/^\[(.*)\]$/, '$1');
  if (!/^amqps?:$/.test(protocol) || host === '' || hash !== '' || /@/.test(path + search)) throw new UrlProblem();
  const anybody = username === '' && password === '';
  return {
    tls: protocol === 'amqps:',
    host,
    port: port === '' ? undefined : Number(port),
    username: anybody ? undefined : decoded(username),
    password: anybody ? undefined : decoded(password),
    virtualHost: path === '' ? undefined : decoded(path),
    parameters: parametersOf(new URLSearchParams(search)),
  };
}

function standardUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new UrlProblem(); // The error of Node.js shows the url.
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UrlProblem();
  }
}

function parametersOf(search: URLSearchParams): UrlParameters {
  const parameters: Record<string, number | string> = {};
  for (const [name, value] of search) {
    const parameter = NAMES.get(name);
    if (parameter === undefined) {
      throw new UrlProblem(
        `no parameter '${name}' is known in a url (known: ${[...NAMES.keys()].join(', ')}): leave it out, or use the options of rabbitmq()`,
        true,
      );
    }
    if (Object.hasOwn(parameters, parameter)) throw new UrlProblem(`'${name}' once in a url was expected`, true);
    parameters[parameter] = parameter === 'locale' ? value : numberIn(name, value, RANGES[parameter]);
  }
  return parameters;
}

function numberIn(name: string, text: string, [least, most]: readonly [number, number]): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new UrlProblem(`'${name}' in a url was expected to be a whole number from ${least} to ${most}`, true);
}
