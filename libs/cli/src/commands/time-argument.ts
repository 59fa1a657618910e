import { UsageError } from '../errors.js';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A time ago, such as `2h`, or a point in time.
 * @throws {UsageError}
 */
export function timeOf(text: string, option: string, now = Date.now()): Date {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const time = amount === undefined ? new Date(text) : new Date(now - Number(amount) * UNITS[unit!]!);
  if (Number.isNaN(time.getTime()))
    throw new UsageError(
      `${option} has to be a time ago, such as 30m, 2h or 3d, or a time such as 2026-11-26T03:00:00Z, not '${text}'.`,
    );
  return time;
}
