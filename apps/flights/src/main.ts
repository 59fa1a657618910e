import 'reflect-metadata';
import { NoServerError } from '@mississippi/servers';
import { createApp, SHUTDOWN_SIGNALS } from './app.js';
import { type Backends, openBackends } from './backends.js';
import { replayAndCheck } from './demonstration.js';
import { type FlightsOptions, parseOptions, USAGE, UsageError } from './options.js';
import { describe, print } from './output.js';
import { serveMetrics } from './served-metrics.js';

async function run(options: FlightsOptions): Promise<void> {
  const backends = await openBackends(options);
  let livesOn = false;
  try {
    livesOn = await demonstrate(options, backends);
  } finally {
    // As long as the app lives its servers do; they go with this process.
    if (!livesOn) await backends.close();
  }
}

/** Tells whether the app lives on: it serves, or Nest is closing it. */
async function demonstrate(options: FlightsOptions, backends: Backends): Promise<boolean> {
  const { metricsPort, dashboard } = options;
  const observed = metricsPort === undefined ? {} : { telemetry: await serveMetrics(metricsPort) };
  const app = await createApp({ ...backends, ...observed, dashboard }, options.trouble);
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
  process.exitCode = usage || error instanceof NoServerError ? 2 : 1;
}
