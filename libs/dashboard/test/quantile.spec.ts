import { quantileOf } from '../src/live/quantile.js';

test.each([
  [0.5, 4],
  [0.8, 4],
  [0.81, 32],
  [0.99, 32],
  [0.991, 512],
  [1, 512],
])('what %d of the messages took at most, whichever shard they were of', (part, expected) => {
  const times = [
    [32, 90],
    [4, 500],
    [512, 10],
    [4, 300],
    [32, 100],
  ] as const;
  expect(quantileOf(times, part)).toBe(expected);
});

test('is nothing where none was handled', () => {
  expect(quantileOf([], 0.5)).toBeNull();
});
