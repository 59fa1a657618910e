import { FakeClock } from '../../core/test/support/fake-clock.js';
import { CallerClocks } from '../src/signals/caller-clocks.js';

/** The caller's clock is this far ahead of the owner's. */
const AHEAD = 5_000_000;

function start() {
  const clock = new FakeClock();
  const clocks = new CallerClocks(clock);
  const questions: string[] = [];
  const decided: [name: string, left: number][] = [];
  const theirs = (): number => clock.now() + AHEAD;
  const request = (name: string, left: number, longest = left): void => {
    const deadline = { clock: 'c', at: theirs() + left };
    clocks.left(
      deadline,
      longest,
      (id) => questions.push(id),
      (time) => decided.push([name, time]),
    );
  };
  const answer = (id: string | undefined): void => clocks.answered(id!, 'c', theirs());
  return { clock, clocks, questions, decided, request, answer };
}

test('a process is asked once, and what waits for its answer is not overtaken', async () => {
  const { clock, questions, decided, request, answer } = start();
  request('a', 1_000);
  request('b', 2_000);
  expect(decided).toEqual([]);
  await clock.advance(10);
  answer(questions[0]);
  // The answer may have been given at any time since the question: the lesser is taken.
  expect(decided).toEqual([
    ['a', 980],
    ['b', 1_980],
  ]);
  request('c', 300);
  expect(decided.at(-1)).toEqual(['c', 290]);
  expect(questions).toHaveLength(1);
});

test('one that was over before it came is known to be', async () => {
  const { clock, questions, decided, request, answer } = start();
  request('a', -300, 1_000);
  await clock.advance(10);
  answer(questions[0]);
  request('b', -20, 1_000);
  expect(decided).toEqual([
    ['a', 0],
    ['b', 0],
  ]);
  expect(questions).toHaveLength(1);
});

test('where the comparison is not exact enough to tell, the process is asked again', async () => {
  const { clock, questions, decided, request, answer } = start();
  request('a', 5_000);
  await clock.advance(400);
  answer(questions[0]);
  request('b', 200);
  expect(decided).toEqual([['a', 4_200]]);
  await clock.advance(1);
  answer(questions[1]);
  expect(decided).toEqual([
    ['a', 4_200],
    ['b', 198],
  ]);
});

test('a comparison is made anew after a while, and with a new connection', async () => {
  const { clock, clocks, questions, request, answer } = start();
  request('a', 5_000);
  answer(questions[0]);
  clocks.forget();
  request('b', 5_000);
  answer(questions[1]);
  await clock.advance(59_999);
  request('c', 5_000);
  expect(questions).toHaveLength(2);
  await clock.advance(1);
  request('d', 5_000);
  expect(questions).toHaveLength(3);
});

test('one that does not answer is asked again, until the time is over in any case', async () => {
  const { clock, questions, decided, request } = start();
  request('a', 700);
  request('b', 1_200);
  await clock.advance(1_000);
  expect(decided).toEqual([['a', 0]]);
  expect(questions.length).toBeGreaterThan(1);
  await clock.advance(1_000);
  expect(decided).toEqual([
    ['a', 0],
    ['b', 0],
  ]);
  expect(clock.pending).toBe(0);
});

test('what is no answer of theirs changes nothing', () => {
  const { clocks, decided, request } = start();
  request('a', 700);
  clocks.answered('x', 'c', 1);
  clocks.answered('0', 'c', NaN);
  clocks.answered('99999999', 'c', 1);
  expect(decided).toEqual([]);
});
