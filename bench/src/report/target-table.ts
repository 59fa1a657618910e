import type { Result } from '../harness/comparison.js';
import { number, table } from '../harness/tables.js';
import { type Target, TARGETS } from './targets.js';

/** Every target, what was measured, and whether it was reached. Nothing is rounded before it is compared. */
export function targetTable(results: readonly Result[]): string {
  const rows = TARGETS.map((target) => {
    const result = results.find(({ name }) => name === target.comparison);
    const value = result && target.of(result);
    const measured = value === undefined ? '–' : number(value, target.digits);
    return [target.text, boundOf(target), measured, verdict(target, result, value), `\`${target.comparison}\``];
  });
  return table(['target', 'bound', 'measured', 'reached', 'from'], rows);
}

function boundOf({ bound, digits }: Target): string {
  const places = digits === 0 ? 0 : 1;
  return 'least' in bound
    ? `≥ ${number(bound.least, bound.least === 0.95 ? 2 : places)}`
    : `≤ ${number(bound.most, places)}`;
}

function verdict({ bound, excuse }: Target, result: Result | undefined, value: number | undefined): string {
  if (result === undefined || value === undefined) return 'not measured';
  const reached = 'least' in bound ? value >= bound.least : value <= bound.most;
  if (reached) return 'yes';
  const excused = excuse?.(result);
  return excused === undefined ? '**no**' : `yes: ${excused}`;
}
