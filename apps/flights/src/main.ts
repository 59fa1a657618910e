import 'reflect-metadata';
import { memory, type Transport } from '@mississippi/core';
import { createApp, SHUTDOWN_SIGNALS } from './app.js';
import { replayAndCheck } from './demonstration.js';
import { type FlightsOptions, parseOptions, type QueueOptions, USAGE, UsageError } from './options.js';
import { describe, print } from './output.js';
import { NoBrokerError, PrivateBroker } from './private-broker.js';
import { queues } from './queues.js';
import { StatisticsStore } from './statistics.store.js';

async function run(options: FlightsOptions): Promise<void> {
  const { rabbitmq } = options;
  if (rabbitmq === undefined) await demonstrate(options, memory());
  else if (rabbitmq.url === undefined) await withPrivateBroker(options, rabbitmq);
  else await demonstrate(options, queues(rabbitmq.url, rabbitmq.prefix));
}

async function withPrivateBroker(options: FlightsOptions, { prefix }: QueueOptions): Promise<void> {
  print('Starting a RabbitMQ for this run only.');
  const broker = await PrivateBroker.start();
  let livesOn = false;
  try {
    livesOn = await demonstrate(options, queues(broker.url, prefix));
  } finally {
    // As long as the app lives the broker does; it goes with this process.
    if (!livesOn) await broker.stop();
  }
}

/** Tells whether the app lives on: it serves, or Nest is closing it. */
async function demonstrate(options: FlightsOptions, transport: Transport): Promise<boolean> {
  const app = await createApp(await StatisticsStore.open(options.store), transport);
  const interruption = new AbortController();
  // Before Nest's own listeners, which close the app: the replay stops sending first, so that nothing fails under it.
  for (const signal of SHUTDOWN_SIGNALS) process.prependOnceListener(signal, () => interruption.abort());
  try {
    const allVerified = await replayAndCheck(app, options, interruption.signal);
    if (allVerified === undefined) return true;
    process.exitCode = allVerified ? 0 : 1;
  } catch (error) {
    // Nest is closing the app, which ends what was under way; it ends the process next.
    if (interruption.signal.aborted) return true;
    await app.close();
    throw error;
  }
  if (options.exit) await app.close();
  return !options.exit;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) print(USAGE);
  else await run(options);
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(`${describe(error)}\n${usage ? `\n${USAGE}\n` : ''}`);
  process.exitCode = usage || error instanceof NoBrokerError ? 2 : 1;
}
