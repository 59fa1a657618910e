import { parseArgs } from 'node:util';
import { AIRPORT_CODE } from './flight.js';
import type { TroubleOptions } from './planted-trouble.js';

/** Which queues carry the flights. */
export interface QueueOptions {
  /** `undefined` takes a broker of one's own. */
  url: string | undefined;
  /** What the queues' names begin with. */
  prefix: string;
}

/** Where the statistics are kept: in a folder, on a server, or on one of one's own. */
export type StoreOptions = { kind: 'folder'; folder: string } | { kind: 'server'; url: string } | { kind: 'own' };

export interface FlightsOptions {
  /** 0 takes a free one. */
  httpPort: number;
  /** 0 takes a free one. */
  tcpPort: number;
  /** `undefined` keeps the statistics in memory. */
  store: StoreOptions | undefined;
  /** `undefined` keeps the flights in this process. */
  rabbitmq: QueueOptions | undefined;
  /** Where Prometheus finds the metrics; `undefined` makes none. */
  metricsPort: number | undefined;
  /** Serve the dashboard. */
  dashboard: boolean;
  /** What goes wrong on purpose; `undefined` where nothing does. */
  trouble: TroubleOptions | undefined;
  /** End after the check instead of serving. */
  exit: boolean;
  help: boolean;
}

const PREFIX = 'flights_';

export const USAGE = `Usage: npm start -- [options]

Replays 20,000 flights in order per airport, checks every airport's statistics, then serves them.

  --http-port <port>  port of the HTTP server (default: a free one)
  --tcp-port <port>   port of the TCP server (default: a free one)
  --store=<folder>    keep the statistics in a folder of this machine, in a PGlite (default: in memory)
  --store=<url>       keep them on a PostgreSQL: postgres://user:password@host/database
  --store=postgres    keep them on a PostgreSQL of its own, or a PGlite where none is installed
  --rabbitmq[=<url>]  through the queues of a RabbitMQ; without a url through one of its own
  --prefix <prefix>   what the names of those queues begin with (default: ${PREFIX})
  --metrics-port <port>  serve metrics for Prometheus on this port (default: none)
  --dashboard         serve the dashboard on the HTTP port; it asks for the token that is printed
  --poison <airport>  one flight of that airport fails each time, and the airport is parked; needs --rabbitmq
  --hang <airport>    one flight of that airport never ends; needs --rabbitmq
  --side-queue <n>    a shard may hold so many parked flights, and stands still beyond them
  --exit              end after the check: status 0 if every airport was verified, else 1
  --help              print this`;

/** A command line that cannot be followed; the message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws {UsageError} for an option or a value that is not known */
export function parseOptions(args: readonly string[]): FlightsOptions {
  const values = parse(args);
  return {
    httpPort: parsePort('--http-port', values['http-port']),
    tcpPort: parsePort('--tcp-port', values['tcp-port']),
    store: parseStore(values.store),
    rabbitmq: parseQueues(values.rabbitmq, values.prefix),
    metricsPort: parseMetricsPort(values['metrics-port']),
    dashboard: values.dashboard,
    trouble: parseTrouble(values, values.rabbitmq !== undefined),
    exit: values.exit,
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: args.map(withOptionalUrl).flat(),
      options: {
        'http-port': { type: 'string', default: '0' },
        'tcp-port': { type: 'string', default: '0' },
        store: { type: 'string' },
        rabbitmq: { type: 'string' },
        prefix: { type: 'string' },
        'metrics-port': { type: 'string' },
        dashboard: { type: 'boolean', default: false },
        poison: { type: 'string' },
        hang: { type: 'string' },
        'side-queue': { type: 'string' },
        exit: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    if (!isParseError(error)) throw error;
    // Node's message goes on with advice for positional arguments, of which there are none here.
    const [problem] = error.message.split(/\. |\n/);
    throw new UsageError(`${problem?.replace(/\.$/, '')}.`, { cause: error });
  }
}

/** Node knows no option with an optional value: without one it is given an empty one. */
function withOptionalUrl(arg: string, index: number, args: readonly string[]): string[] {
  if (isUrl(arg) && args[index - 1] === '--rabbitmq') return [];
  const next = args[index + 1] ?? '';
  return [arg === '--rabbitmq' ? `--rabbitmq=${isUrl(next) ? next : ''}` : arg];
}

function isUrl(value: string): boolean {
  return /^amqps?:\/\/[^/]/.test(value) && URL.canParse(value);
}

function parseStore(value: string | undefined): StoreOptions | undefined {
  if (value === undefined) return undefined;
  if (value === 'postgres') return { kind: 'own' };
  if (/^postgres(ql)?:\/\/./.test(value) && URL.canParse(value)) return { kind: 'server', url: value };
  // No url of anything else is the name of a folder; a letter with a colon is a drive.
  if (value !== '' && !/^\w{2,}:/.test(value)) return { kind: 'folder', folder: value };
  const shown = value.replace(/\/\/[^@]*@/, '//');
  throw new UsageError(
    `--store must be a folder, postgres, or postgres://user:password@host/database, not '${shown}'.`,
  );
}

function parseQueues(url: string | undefined, prefix: string | undefined): QueueOptions | undefined {
  if (prefix !== undefined && !/^[\w.:-]{1,200}$/.test(prefix)) {
    throw new UsageError(`--prefix must be 1 to 200 letters, digits, _ . : or -, not '${prefix}'.`);
  }
  if (url === undefined && prefix !== undefined) throw new UsageError('--prefix names queues: it needs --rabbitmq.');
  if (url === undefined) return undefined;
  if (url !== '' && !isUrl(url))
    throw new UsageError(`--rabbitmq must be a url amqp://host or amqps://host, not '${url}'.`);
  return { url: url === '' ? undefined : url, prefix: prefix ?? PREFIX };
}

/** By the code, which is what Node documents of these errors. */
function isParseError(error: unknown): error is { code: string; message: string } {
  return (
    typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  );
}

/** A free one that nobody knows is of no use to Prometheus. */
function parseMetricsPort(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const port = parsePort('--metrics-port', value);
  if (port === 0) throw new UsageError('--metrics-port must be a number from 1 to 65535, not 0.');
  return port;
}

/** In this process alone a replay waits for each flight, so that nothing could be freed. */
function parseTrouble(
  { poison, hang, 'side-queue': limit }: { poison?: string; hang?: string; 'side-queue'?: string },
  overRabbitMq: boolean,
): TroubleOptions | undefined {
  if ([poison, hang, limit].every((value) => value === undefined)) return undefined;
  if (!overRabbitMq)
    throw new UsageError('--poison, --hang and --side-queue plant trouble in queues: they need --rabbitmq.');
  for (const airport of [poison, hang]) {
    if (airport !== undefined && !AIRPORT_CODE.test(airport))
      throw new UsageError(`--poison and --hang take an airport such as ORD, not '${airport}'.`);
  }
  if (limit !== undefined && !/^[1-9]\d*$/.test(limit))
    throw new UsageError(`--side-queue must be a number from 1 on, not '${limit}'.`);
  return { poison, hang, sideQueue: limit === undefined ? undefined : Number(limit) };
}

function parsePort(option: string, value: string): number {
  const port = Number(value);
  if (/^\d+$/.test(value) && port <= 65_535) return port;
  throw new UsageError(`${option} must be a number from 0 to 65535, not '${value}'.`);
}
