import { format } from 'prettier';
import type { Column, Comparison, Result, Row } from './comparison.js';
import { type Spread, spreadOf } from './measurement.js';

/** The spread of a column over the runs of a row; `undefined` where the row has no such figure. */
export function spreadOfRow({ of }: Column, { runs }: Row): Spread | undefined {
  const values = runs.map((run) => of(run)).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : spreadOf(values);
}

/** The median of a contender in a column. */
export function medianOf(result: Result | undefined, contender: string, column: Column): number | undefined {
  const row = result?.rows.find((row) => row.contender === contender);
  return row && spreadOfRow(column, row)?.median;
}

export function number(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const align = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [head, align, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function tableOf({ reference, columns }: Comparison<never>, result: Result): string {
  const [main, ...others] = columns;
  const base = medianOf(result, reference, main);
  const rows = result.rows.map((row) => {
    const spread = spreadOfRow(main, row);
    if (spread === undefined) return [row.contender, ...columns.map(() => '–'), '–', '–'];
    const { median, min, max } = spread;
    return [
      row.contender,
      number(median, main.digits),
      `${number(min, main.digits)} … ${number(max, main.digits)}`,
      base === undefined ? '–' : number(median / base, 2),
      ...others.map((column) => {
        const spread = spreadOfRow(column, row);
        return spread === undefined ? '–' : number(spread.median, column.digits);
      }),
    ];
  });
  return table(['', main.title, 'min … max', `× ${reference}`, ...others.map(({ title }) => title)], rows);
}

/** Markdown as the project's formatter wants it, which is also how it reads well in a terminal. */
export function tidy(markdown: string): Promise<string> {
  return format(markdown, { parser: 'markdown', printWidth: 120 });
}
