import type { ExpectedFigures } from './independent-fold.js';

/** One figure that the app got wrong. */
export interface Mismatch {
  airport: string;
  figure: string;
  expected: unknown;
  actual: unknown;
}

export interface Verification {
  /** Airports that were checked. */
  airports: number;
  /** Airports of which every figure is right. */
  verified: number;
  mismatches: readonly Mismatch[];
}

/** Two ways to add up the same numbers differ in the last of about 16 digits; a flight out of order differs far more. */
const TOLERANCE = 1e-9;

/** Compares what the app answered with what it must answer, airport by airport and figure by figure. */
export function verify(
  expected: ReadonlyMap<string, ExpectedFigures>,
  answered: ReadonlyMap<string, object | null>,
): Verification {
  const mismatches = [...expected].flatMap(([airport, figures]) => compare(airport, figures, answered.get(airport)));
  const wrong = new Set(mismatches.map((mismatch) => mismatch.airport));
  return { airports: expected.size, verified: expected.size - wrong.size, mismatches };
}

function compare(airport: string, expected: ExpectedFigures, answer: object | null | undefined): Mismatch[] {
  if (answer === null || answer === undefined) {
    return [{ airport, figure: 'departures', expected: expected.departures, actual: 'none' }];
  }
  const wanted = flatten(expected);
  const got = flatten(answer);
  // Names of both sides: a figure that the app made up is as wrong as one that it left out.
  return [...new Set([...wanted.keys(), ...got.keys()])]
    .filter((figure) => !isSame(wanted.get(figure), got.get(figure)))
    .map((figure) => ({ airport, figure, expected: wanted.get(figure), actual: got.get(figure) }));
}

/** Figures by name, those of nested objects as `destinations.ORD`. */
function flatten(figures: object, prefix = ''): Map<string, unknown> {
  return new Map(
    Object.entries(figures).flatMap(([name, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null
        ? [...flatten(value, `${prefix}${name}.`)]
        : [[`${prefix}${name}`, value] as const],
    ),
  );
}

function isSame(expected: unknown, actual: unknown): boolean {
  if (typeof expected !== 'number' || typeof actual !== 'number') return expected === actual;
  return Math.abs(expected - actual) <= TOLERANCE * Math.max(1, Math.abs(expected));
}
