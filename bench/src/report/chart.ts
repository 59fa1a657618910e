import { RATE, type Result } from '../harness/comparison.js';
import { spreadOfRow } from '../harness/tables.js';

/** A bar chart of the medians, as Mermaid, which GitHub draws. */
export function chartOf(title: string, result: Result): string {
  const bars = result.rows.flatMap((row) => {
    const spread = spreadOfRow(RATE, row);
    return spread === undefined ? [] : [{ name: row.contender, value: Math.round(spread.median) }];
  });
  return [
    '```mermaid',
    'xychart-beta horizontal',
    `  title "${title}"`,
    `  x-axis [${bars.map(({ name }) => `"${name}"`).join(', ')}]`,
    '  y-axis "messages per second" 0 --> ' + String(Math.max(...bars.map(({ value }) => value))),
    `  bar [${bars.map(({ value }) => value).join(', ')}]`,
    '```',
  ].join('\n');
}
