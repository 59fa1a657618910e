import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Comparison } from '../harness/comparison.js';
import { type Results, writeResults } from '../harness/results.js';
import { table, tableOf, tidy } from '../harness/tables.js';
import { chartOf } from './chart.js';
import { targetTable } from './target-table.js';

const PAGE = fileURLToPath(new URL('../../../docs/benchmarks.md', import.meta.url));
const DATA = fileURLToPath(new URL('../../../docs/benchmarks.json', import.meta.url));

const BEGIN = '<!-- figures: written by npm run bench -- --write-docs -->';
const END = '<!-- end of the figures -->';

/** Charts and their comparisons. */
const CHARTS = {
  'dispatch-10000': 'Dispatch in the process, 10,000 keys',
  'consume-10000': 'Consume from RabbitMQ, 10,000 keys',
};

/** Puts the figures between the marks of the page, and the runs beside it. */
export async function writeDocs(comparisons: readonly Comparison<never>[], results: Results): Promise<void> {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has lost its marks '${BEGIN}' and '${END}'.`);
  const figures = figuresOf(comparisons, results);
  writeFileSync(PAGE, await tidy(`${page.slice(0, from)}${BEGIN}\n\n${figures}\n\n${page.slice(to)}`));
  await writeResults(DATA, results);
}

function figuresOf(comparisons: readonly Comparison<never>[], results: Results): string {
  const parts = [machineOf(results), '### Targets', targetTable(results.comparisons)];
  for (const comparison of comparisons) {
    const result = results.comparisons.find(({ name }) => name === comparison.name);
    if (result === undefined) continue;
    const { name, title, about } = comparison;
    const runs = result.rows[0]?.runs.length ?? 0;
    const when = `\`${name}\`, ${result.date.slice(0, 10)}, ${runs} runs, load ${result.load} before.`;
    parts.push(`### ${title}`, `${about} ${when}`);
    if (Object.hasOwn(CHARTS, name)) parts.push(chartOf(CHARTS[name as keyof typeof CHARTS], result));
    parts.push(tableOf(comparison, result));
  }
  return parts.join('\n\n');
}

function machineOf({ machine, versions }: Results): string {
  const { cpu, cores, memoryGigabytes, system } = machine;
  const rows = Object.entries(versions).map(([name, version]) => [name, version]);
  return `${cores} cores (${cpu}), ${memoryGigabytes} GB, ${system}. The versions:\n\n${table(['', 'version'], rows)}`;
}
