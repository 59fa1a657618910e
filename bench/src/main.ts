import type { Comparison, Result } from './harness/comparison.js';
import { readLatest } from './harness/results.js';
import { tableOf, tidy } from './harness/tables.js';
import { parseOptions, USAGE, UsageError } from './options.js';
import { writeDocs } from './report/docs.js';
import { targetTable } from './report/target-table.js';
import { Suite } from './suite.js';

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function show(comparison: Comparison<never>, result: Result): Promise<void> {
  print(await tidy(`### ${comparison.title} (${comparison.name})\n\n${tableOf(comparison, result)}\n`));
}

/** A whole name means one comparison, a beginning all that begin so. */
function isMeant(name: string, names: readonly string[], only: readonly string[]): boolean {
  return only.some((given) => (names.includes(given) ? name === given : name.startsWith(given)));
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    print(USAGE);
    return;
  }
  const suite = new Suite(options.scale);
  const names = suite.all.map(({ name }) => name);
  const chosen = options.only.length === 0 ? names : names.filter((name) => isMeant(name, names, options.only));
  if (chosen.length === 0) {
    throw new UsageError(`No comparison begins so. There are: ${names.join(', ')}.`);
  }
  if (options.list) {
    print(chosen.join('\n'));
    return;
  }
  if (options.measure) await suite.run(new Set(chosen), options.runs, tell, show);
  const results = readLatest();
  if (results === undefined) throw new UsageError('Nothing was measured yet.');
  if (!options.measure) {
    for (const comparison of suite.all.filter(({ name }) => chosen.includes(name))) {
      const result = results.comparisons.find(({ name }) => name === comparison.name);
      if (result !== undefined) await show(comparison, result);
    }
  }
  print(await tidy(targetTable(results.comparisons)));
  if (options.writeDocs) await writeDocs(suite.all, results);
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
