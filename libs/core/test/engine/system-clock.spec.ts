import { systemClock } from '../../src/index.js';

const resources = (): string[] => process.getActiveResourcesInfo().filter((name) => name === 'Timeout');

test.each([1_000, 2 ** 40, Infinity])('a timer of %d ms keeps the process, until it is cancelled', (delay) => {
  const before = resources().length;
  const timer = systemClock.after(delay, () => undefined);
  expect(resources()).toHaveLength(before + 1);
  timer.cancel();
  expect(resources()).toHaveLength(before);
});

test.each([1_000, 2 ** 40, Infinity])('one in the background does not: %d ms', (delay) => {
  const before = resources().length;
  const timer = systemClock.after(delay, () => undefined, true);
  expect(resources()).toHaveLength(before);
  timer.cancel();
});

test('a long timer does not fire at once, as setTimeout would', async () => {
  let fired = false;
  const timers = [2 ** 31, 2 ** 53, Infinity].map((delay) => systemClock.after(delay, () => (fired = true)));
  await new Promise((resolve) => {
    systemClock.after(20, () => resolve(undefined));
  });
  expect(fired).toBe(false);
  for (const timer of timers) timer.cancel();
});
