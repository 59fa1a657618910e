import type { RestFigures } from './rest.js';
import { sumOf } from './shares.js';

/** What is fitted: what each process costs, each shard, and each shard that each process does not own. */
export interface Fit {
  readonly process: number;
  readonly shard: number;
  readonly foreignShard: number;
  /** The largest deviation of a point from the fit, as a share of the point. */
  readonly deviation: number;
}

type Point = Pick<RestFigures, 'processes' | 'shards'> & { readonly value: number };

/**
 * `value = a × processes + b × shards + c × (processes - 1) × shards` by least squares of the relative deviations, with no
 * factor below zero. The last is what it costs when each process looks at what the others own.
 */
export function fit(points: readonly Point[]): Fit {
  const rows = points.map((point) => termsOf(point).map((term) => term / point.value));
  const candidates = [0, 1, 2, 3, 4, 5, 6, 7].map((mask) =>
    leastSquares(rows, (column) => (mask & (1 << column)) !== 0),
  );
  const possible = candidates.filter((factors) => factors.every((factor) => factor >= 0));
  const best = possible.reduce((best, factors) => (misfit(rows, factors) < misfit(rows, best) ? factors : best));
  const [process, shard, foreignShard] = best as [number, number, number];
  const deviation = Math.max(...rows.map((row) => Math.abs(dot(row, best) - 1)));
  return { process, shard, foreignShard, deviation };
}

/** What so many processes and shards would cost. */
export function valueAt({ process, shard, foreignShard }: Fit, processes: number, shards: number): number {
  return dot(termsOf({ processes, shards }), [process, shard, foreignShard]);
}

function termsOf({ processes, shards }: Pick<Point, 'processes' | 'shards'>): number[] {
  return [processes, shards, (processes - 1) * shards];
}

/** The factors that bring every row nearest to 1; those of columns that are not chosen are zero. `NaN` where there are many. */
function leastSquares(rows: readonly (readonly number[])[], chosen: (column: number) => boolean): number[] {
  const columns = [0, 1, 2].filter(chosen);
  const normal = columns.map((a) => [
    ...columns.map((b) => sumOf(rows.map((row) => row[a]! * row[b]!))),
    sumOf(rows.map((row) => row[a]!)),
  ]);
  const solved = solve(normal);
  return [0, 1, 2].map((column) => (chosen(column) ? solved[columns.indexOf(column)]! : 0));
}

/** Gauss and Jordan, with the largest pivot. */
function solve(equations: number[][]): number[] {
  const size = equations.length;
  for (let column = 0; column < size; column++) {
    const rest = equations.slice(column).sort((a, b) => Math.abs(b[column]!) - Math.abs(a[column]!));
    equations.splice(column, size - column, ...rest);
    const pivot = equations[column]!.map((value) => value / equations[column]![column]!);
    equations.forEach((row, index) => {
      const factor = row[column]!;
      equations[index] = index === column ? pivot : row.map((value, at) => value - factor * pivot[at]!);
    });
  }
  return equations.map((row) => row.at(-1)!);
}

function misfit(rows: readonly (readonly number[])[], factors: readonly number[]): number {
  return sumOf(rows.map((row) => (dot(row, factors) - 1) ** 2));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return sumOf(a.map((value, index) => value * b[index]!));
}
