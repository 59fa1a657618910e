import { retryAfter } from '../src/retry-after.js';

const NOW = Date.UTC(2026, 0, 1, 12);

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['30', 30_000],
    [' 120 ', 120_000],
    ['Thu, 01 Jan 2026 12:00:05 GMT', 5_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['999999999999', 86_400_000],
    ['Fri, 01 Jan 2027 12:00:00 GMT', 86_400_000],
  ])('of %j is %i ms', (header, expected) => {
    expect(retryAfter(header, NOW)).toBe(expected);
  });

  it.each([null, '', 'soon', '-1', '1.5', '2026-01-01', 'Thu, 99 Jan 2026 12:00:05 GMT'])(
    'of %j says nothing',
    (header) => {
      expect(retryAfter(header, NOW)).toBeUndefined();
    },
  );
});
