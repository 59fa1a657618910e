import { PROMISES, type Check } from './scenarios/scenario.js';

/** Whether everything held. */
export function isKept(checks: readonly Check[]): boolean {
  return broken(checks).length === 0;
}

export function broken(checks: readonly Check[]): Check[] {
  return checks.filter(({ found, limit }) => found > limit);
}

/** What was found in a scenario, a line for each promise: of what was checked several times, what came closest to its limit. */
export function reportOf(name: string, checks: readonly Check[], seconds: number): string {
  const worst = new Map<string, Check>();
  for (const check of checks) {
    const before = worst.get(check.promised);
    if (before === undefined || excess(check) > excess(before)) worst.set(check.promised, check);
  }
  return [`${name} (${seconds.toFixed(1)} s)`, ...[...worst.values()].map(lineOf)].join('\n');
}

function lineOf({ promised, found, limit, detail }: Check): string {
  const mark = found > limit ? 'BROKEN' : 'kept';
  const figures = `${number(found)} of at most ${number(limit)}`;
  return `  ${mark.padEnd(7)} ${PROMISES[promised]}: ${figures}${detail === '' ? '' : `; ${detail}`}`;
}

function excess({ found, limit }: Check): number {
  return limit === 0 ? found : found / limit;
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 });
}
