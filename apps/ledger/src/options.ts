import { parseArgs } from 'node:util';
import { parseCount, parseName, parseUrl } from './option-values.js';
import { UsageError } from './usage.js';

export interface LedgerOptions {
  transfers: number;
  accounts: number;
  /** How often the worker is killed. */
  kills: number;
  /** How many requests are under way. */
  clients: number;
  /** Url of a RabbitMQ, `''` for one of one's own; `undefined` keeps the messages in the worker. */
  rabbitmq: string | undefined;
  /** Url of a PostgreSQL, `''` for one of one's own; `undefined` takes the embedded one. */
  postgres: string | undefined;
  /** What the names of the queues and of the database's schema begin with. */
  name: string;
  help: boolean;
}

/** What a statement holds on average, so that none gets full. */
const MOST_PER_ACCOUNT = 200;

/** @throws {UsageError} for an option or a value that is not known */
export function parseOptions(args: readonly string[]): LedgerOptions {
  const values = parse(args);
  const transfers = parseCount('--transfers', values.transfers, 1);
  const accounts =
    values.accounts === undefined ? defaultAccounts(transfers) : parseCount('--accounts', values.accounts, 2);
  if (transfers > accounts * MOST_PER_ACCOUNT) {
    throw new UsageError(
      `--accounts must be at least ${Math.ceil(transfers / MOST_PER_ACCOUNT)} for ${transfers} transfers: statements hold the last 1,000 postings.`,
    );
  }
  return {
    transfers,
    accounts,
    kills: parseCount('--kills', values.kills, 0),
    clients: parseCount('--clients', values.clients, 1),
    rabbitmq: parseUrl('--rabbitmq', values.rabbitmq, /^amqps?:\/\/[^/]/, 'amqp://host'),
    postgres: parseUrl(
      '--postgres',
      values.postgres,
      /^postgres(ql)?:\/\/[^/]/,
      'postgres://user:password@host/database',
    ),
    name: parseName(values.name),
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: args.map((arg) => (arg === '--rabbitmq' || arg === '--postgres' ? `${arg}=` : arg)),
      options: {
        transfers: { type: 'string', default: '2000' },
        accounts: { type: 'string' },
        kills: { type: 'string', default: '3' },
        clients: { type: 'string', default: '32' },
        rabbitmq: { type: 'string' },
        postgres: { type: 'string' },
        name: { type: 'string', default: 'ledger' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    // Node's message goes on with advice for positional arguments, of which there are none here.
    const [problem] = (error as Error).message.split(/\. |\n/);
    throw new UsageError(`${problem?.replace(/\.$/, '')}. Give urls after a =, as in --postgres=<url>.`, {
      cause: error,
    });
  }
}

function defaultAccounts(transfers: number): number {
  return Math.max(4, Math.ceil(transfers / 100));
}
