import { compare } from './harness/compare.js';
import { machine, versions } from './harness/machine.js';
import { merge, readLatest, writeLatest } from './harness/results.js';
import { tableOf, tidy } from './harness/tables.js';
import { parseOptions, USAGE, UsageError } from './options.js';
import { processComparisons } from './process/comparisons.js';

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    print(USAGE);
    return;
  }
  const all = processComparisons(options.scale);
  const chosen = all.filter(
    ({ name }) => options.only.length === 0 || options.only.some((only) => name.startsWith(only)),
  );
  if (chosen.length === 0) throw new UsageError(`No comparison begins so. There are: ${names(all)}.`);
  if (options.list) {
    print(names(chosen));
    return;
  }
  for (const comparison of chosen) {
    const result = await compare(comparison, undefined, options.runs, (text) => process.stderr.write(`${text}\n`));
    await writeLatest(merge(readLatest(), machine(), versions(), result));
    print(await tidy(`### ${comparison.title} (${comparison.name})\n\n${tableOf(comparison, result)}\n`));
  }
}

function names(comparisons: readonly { name: string }[]): string {
  return comparisons.map(({ name }) => name).join(', ');
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
