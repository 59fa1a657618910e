import { parseOptions, USAGE, UsageError, type SimulateOptions } from './options.js';
import { isKept, reportOf } from './report.js';
import { SCENARIOS } from './scenarios/index.js';

async function run({ size, scenarios }: SimulateOptions): Promise<boolean> {
  const { processes, shards, seed } = size;
  console.log(`${processes} processes, ${shards} shards, seed ${seed}\n`);
  let kept = true;
  for (const name of scenarios) {
    const from = performance.now();
    const checks = await SCENARIOS[name]!(size);
    console.log(`${reportOf(name, checks, (performance.now() - from) / 1_000)}\n`);
    kept &&= isKept(checks);
  }
  console.log(kept ? 'All promises were kept.' : 'A promise was broken.');
  return kept;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else if (!(await run(options))) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
