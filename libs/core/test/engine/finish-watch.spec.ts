import { FinishWatch } from '../../src/engine/messages/finish-watch.js';
import { FakeClock } from '../support/fake-clock.js';

function watched(messages: number, keyOf: (index: number) => string): FinishWatch {
  const watch = new FinishWatch(new FakeClock());
  for (let index = 0; index < messages; index++) watch.finished(keyOf(index), 0);
  return watch;
}

const countOf = ({ times }: FinishWatch): number => times.reduce((sum, [, count]) => sum + count, 0);

test('counts few messages one by one', () => {
  const watch = watched(64, (index) => (index < 40 ? 'a' : 'b'));
  expect(countOf(watch)).toBe(64);
  expect(watch.busiest).toEqual([
    { id: 'a', finished: 40 },
    { id: 'b', finished: 24 },
  ]);
});

test('looks at one in sixteen of many, and has as many in the end', () => {
  const watch = watched(16_000, (index) => (index % 5 === 0 ? 'rare' : 'frequent'));
  expect(countOf(watch)).toBe(16_000);
  const [first, second] = watch.busiest;
  expect([first!.id, second!.id]).toEqual(['frequent', 'rare']);
  expect(first!.finished / second!.finished).toBeCloseTo(4, 0);
});

test('names the five busiest keys', () => {
  expect(watched(60, (index) => `key${index % 9}`).busiest).toHaveLength(5);
});
