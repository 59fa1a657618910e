import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg } from 'node:os';
import { machine, versionOf } from '../harness/machine.js';
import { tidy } from '../harness/tables.js';
import { UsageError } from '../options.js';
import { compute } from './compute.js';
import { parseOptions, USAGE, type OwnershipOptions, type Scene } from './options.js';
import { reportOf } from './report.js';
import { rest } from './rest.js';
import type { OwnershipResults } from './results.js';
import { rolling } from './rolling.js';
import type { Stage } from './stage.js';
import { starts } from './start.js';
import { kills, stalls } from './take-over.js';
import { WatchedBroker } from './watched-broker.js';

type Measured = Pick<OwnershipResults, Scene | 'computed'>;

/** Measures one scene. */
const SCENES: Record<Scene, (stage: Stage) => Promise<Measured>> = {
  start: async (stage) => ({ start: await starts(stage) }),
  rest: async (stage) => {
    const figures = await rest(stage);
    const computed = compute(figures);
    return { rest: figures, ...(computed === undefined ? {} : { computed }) };
  },
  kill: async (stage) => ({ kill: await kills(stage) }),
  stall: async (stage) => ({ stall: await stalls(stage) }),
  rolling: async (stage) => ({ rolling: await rolling(stage) }),
};

/** @param keep called with what is known after each scene */
async function measure(
  options: OwnershipOptions,
  keep: (results: OwnershipResults) => void,
): Promise<OwnershipResults> {
  const { help: _help, only, out: _out, ...settings } = options;
  const [date, load, from] = [new Date().toISOString(), Number(loadavg()[0]!.toFixed(2)), performance.now()];
  const broker = await WatchedBroker.start(settings.nice);
  // What ends the node keeps no event loop alive.
  const alive = setInterval(() => undefined, 1_000);
  try {
    const amqplib = versionOf(createRequire(import.meta.url), 'amqplib');
    const versions = { node: process.versions.node, rabbitmq: broker.version, amqplib };
    let results: OwnershipResults = { date, load, machine: machine(), versions, settings, seconds: 0 };
    for (const scene of only) {
      const measured = await attempt(scene, { broker, settings, say });
      results = { ...results, ...measured, seconds: Math.round((performance.now() - from) / 1_000) };
      keep(results);
    }
    return results;
  } finally {
    await broker.stop();
    clearInterval(alive);
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A scene that fails keeps nobody from the others; it ends the run as a failure. */
async function attempt(scene: Scene, stage: Stage): Promise<Measured> {
  try {
    return await SCENES[scene](stage);
  } catch (error) {
    stage.say(`${scene} failed: ${String(error instanceof Error ? error.stack : error)}`);
    process.exitCode = 1;
    return {};
  }
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const { out } = options;
  const results = await measure(options, (results) => {
    if (out !== undefined) writeFileSync(out, `${JSON.stringify(results, rounded, 2)}\n`);
  });
  process.stdout.write(`${await tidy(reportOf(results))}\n`);
}

/** Six digits say more than is known. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}

// A signal that ended us at once would leave a process that is stopped as it is.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    say(`ended by ${signal}`);
    process.exit(1);
  });
}

try {
  await main();
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(
    `${usage ? `${error.message}\n\n${USAGE}` : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exitCode = usage ? 2 : 1;
}
