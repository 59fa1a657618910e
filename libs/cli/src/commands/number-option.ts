import { UsageError } from '../errors.js';

/** Which numbers an option takes. */
interface NumberRule {
  /** The smallest; default 1. */
  readonly least?: number;
  /** Whether it may have a fraction, and then has to be above `least`; default not. */
  readonly fraction?: boolean;
  readonly default?: number;
}

/** An option that takes a number: what is none, or too small, or given twice, is refused with a sentence. */
export function numberOption(
  name: string,
  describe: string,
  { least = 1, fraction = false, ...rest }: NumberRule = {},
) {
  const wanted = fraction ? `a number above ${least}` : `a whole number, ${least} or more`;
  const isWanted = (value: unknown): boolean =>
    fraction
      ? Number.isFinite(value) && (value as number) > least
      : Number.isSafeInteger(value) && (value as number) >= least;
  const coerce = (value: unknown): unknown => {
    if (value !== undefined && !isWanted(value)) throw new UsageError(`--${name} has to be ${wanted}.`);
    return value;
  };
  return { type: 'number', requiresArg: true, describe, coerce, ...rest } as const;
}

/** @throws {UsageError} when there is no such shard */
export function checkShard(shard: number | undefined, totalCount: number): void {
  if (shard !== undefined && shard >= totalCount)
    throw new UsageError(`There is no shard ${shard}: the app has ${totalCount}, from 0 to ${totalCount - 1}.`);
}
