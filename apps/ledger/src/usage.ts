export const USAGE = `Usage: npm run ledger -- [options]

Hammers the ledger with transfers between accounts, kills its worker with -9 and
starts it again, and verifies every cent. Ends with status 0 if all is right.

  --transfers <n>      how many (default: 2,000)
  --accounts <n>       between how many accounts (default: one for 100)
  --kills <n>          how often the worker is killed (default: 3)
  --clients <n>        how many requests are under way (default: 32)
  --rabbitmq[=<url>]   messages in a RabbitMQ; without a url in one of its own
                       (default: in the worker, and kept by the store)
  --postgres[=<url>]   accounts in a PostgreSQL; without a url in one of its own
                       (default: embedded, PGlite in a temporary folder)
  --name <name>        what queues and schema are called (default: ledger); one
                       run at a time has a name
  --help               print this`;

/** A command line that cannot be followed; the message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
