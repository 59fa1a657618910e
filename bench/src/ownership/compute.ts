import { fit, valueAt } from './fit.js';
import { FITTED, LARGE, type Computed } from './results.js';
import type { RestFigures } from './rest.js';

/** There are three terms to be told apart, and something must be left to tell how well. */
const FEWEST = 4;

/**
 * What {@link LARGE} would cost at rest, from what smaller sizes cost above a node that nobody uses; `undefined` where these
 * are too few.
 */
export function compute(rest: readonly RestFigures[]): Computed | undefined {
  const idle = rest.find(({ processes }) => processes === 0);
  const sizes = rest.filter(({ processes }) => processes > 0);
  if (sizes.length < FEWEST) return undefined;
  const parts = FITTED.flatMap((part) => {
    const points = sizes.map(({ processes, shards, [part]: cost }) => ({
      processes,
      shards,
      value: cost - (idle?.[part] ?? 0),
    }));
    if (points.some(({ value }) => !(value > 0))) return []; // Nothing has no relative deviation.
    const fitted = fit(points);
    return [[part, { ...fitted, value: valueAt(fitted, LARGE.processes, LARGE.shards) }] as const];
  });
  return Object.fromEntries(parts);
}
