const DAY = 86_400_000;

/**
 * What the header `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3).
 * @param now Unix time in milliseconds
 * @returns milliseconds, at most a day; `undefined` where there is no header, or none that can be read
 */
export function retryAfter(header: string | null, now: number): number | undefined {
  const value = header?.trim() ?? '';
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1_000, DAY);
  const date = value.endsWith(' GMT') ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), DAY);
}
