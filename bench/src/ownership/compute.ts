import { fit, valueAt } from './fit.js';
import { FITTED, LARGE, type Computed } from './results.js';
import type { RestFigures } from './rest.js';

/** Cores that must have been idle, or whoever does something on a timer may have come late to it. */
const ROOM = 0.2;

/** There are three terms to be told apart. */
const FEWEST = 4;

/** What {@link LARGE} would cost at rest, from what smaller sizes cost above a node that nobody uses. */
export function compute(rest: readonly RestFigures[], cores: number): Computed | undefined {
  const idle = rest.find(({ processes }) => processes === 0);
  const all = rest.filter(({ processes }) => processes > 0);
  const roomy = all.filter(({ busy }) => busy <= cores - ROOM);
  const crowded = roomy.length < FEWEST;
  const chosen = crowded ? all : roomy;
  if (chosen.length < FEWEST) return undefined;
  const parts = FITTED.flatMap((part) => {
    const points = chosen.map(({ processes, shards, [part]: cost }) => ({
      processes,
      shards,
      value: cost - (idle?.[part] ?? 0),
    }));
    if (points.some(({ value }) => !(value > 0))) return []; // Nothing has no relative deviation.
    const fitted = fit(points);
    return [[part, { ...fitted, value: valueAt(fitted, LARGE.processes, LARGE.shards) }] as const];
  });
  return { sizes: chosen.length, crowded, parts: Object.fromEntries(parts) };
}
