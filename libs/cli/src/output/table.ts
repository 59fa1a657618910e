import { cut, shown, widthOf, wrapped } from './plain-text.js';
import type { Paint } from './paint.js';

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | undefined;
  /** Numbers are. */
  readonly right?: boolean;
  /** The least that it may be cut to; what has none is never cut. */
  readonly least?: number;
  /** It goes when there is no room: of several, the one with the highest number first. */
  readonly spare?: number;
}

/** What of a row does not fit into a cell: lines below it, over the whole width. */
export interface Detail<Row> {
  readonly below?: (row: Row) => string | undefined;
  /** Lines of it at most. */
  readonly most?: number;
}

interface Drawn<Row> extends Column<Row> {
  readonly cells: readonly string[];
  width: number;
}

const GAP = 2;
const NOTHING = '-';

/** Rows below titles, in no more than so many columns of the terminal: spare columns go first, then long texts are cut. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { columns: room, paint }: { readonly columns: number; readonly paint: Paint },
  { below = () => undefined, most = 2 }: Detail<Row> = {},
): string[] {
  const drawn = fitted(
    columns.map((column) => draw(column, rows)),
    room,
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => padded(cell, drawn[index]!))
      .join(' '.repeat(GAP))
      .trimEnd();
  const lines = [paint.dim(line(drawn.map(({ title }) => title)))];
  rows.forEach((row, index) => {
    lines.push(line(drawn.map(({ cells }) => cells[index]!)));
    const text = below(row);
    if (text !== undefined) lines.push(...paragraph(shown(text), room, most).map((part) => paint.yellow(part)));
  });
  return lines;
}

/** A text over the whole width, with an indent, cut after some lines. */
function paragraph(text: string, room: number, most: number): string[] {
  const width = Math.max(20, room - 2 * GAP);
  const lines = wrapped(text, width);
  const kept = lines.slice(0, most);
  if (lines.length > most) kept.push(cut(`${kept.pop()!} …`, width));
  return kept.map((part) => `${' '.repeat(2 * GAP)}${part}`);
}

function draw<Row>(column: Column<Row>, rows: readonly Row[]): Drawn<Row> {
  const cells = rows.map((row) => shown(String(column.value(row) ?? NOTHING)));
  return { ...column, cells, width: Math.max(...[column.title, ...cells].map(widthOf)) };
}

function fitted<Row>(columns: Drawn<Row>[], room: number): Drawn<Row>[] {
  let drawn = columns;
  // As they are, or cut down to the least, or without those that may go.
  while (leastOf(drawn) > room) {
    const spare = Math.max(...drawn.map(({ spare = 0 }) => spare));
    if (spare === 0) break;
    drawn = drawn.filter((column) => (column.spare ?? 0) < spare);
  }
  while (total(drawn.map(({ width }) => width)) > room) {
    const widest = drawn.filter(canShrink).sort((a, b) => b.width - a.width)[0];
    if (widest === undefined) break;
    widest.width--;
  }
  return drawn;
}

function canShrink<Row>({ width, least }: Drawn<Row>): boolean {
  return least !== undefined && width > least;
}

function leastOf<Row>(columns: readonly Drawn<Row>[]): number {
  return total(columns.map(({ width, least = width }) => Math.min(width, least)));
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP);
}

function padded<Row>(cell: string, { width, right }: Drawn<Row>): string {
  const text = cut(cell, width);
  const filling = ' '.repeat(width - widthOf(text));
  return right === true ? filling + text : text + filling;
}
