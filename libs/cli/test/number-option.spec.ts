import { checkShard } from '../src/commands/number-option.js';
import { UsageError } from '../src/errors.js';
import { run } from '../src/run.js';
import { fakeTerminal } from './support/fake-terminal.js';

const WHOLE = 'has to be a whole number, 1 or more.';
const FRACTION = 'has to be a number above 0.';

test.each([
  [['keys', 'list', '--limit', 'abc'], `--limit ${WHOLE}`],
  [['keys', 'list', '--limit', '0'], `--limit ${WHOLE}`],
  [['parked', '--limit=-1'], `--limit ${WHOLE}`],
  [['dead-letters', 'list', '--limit', '1.5'], `--limit ${WHOLE}`],
  [['audit', '--limit', '1', '--limit', '2'], `--limit ${WHOLE}`],
  [['audit', '--limit', 'Infinity'], `--limit ${WHOLE}`],
  [['keys', '--shard', '-1'], '--shard has to be a whole number, 0 or more.'],
  [['parked', '--shard', 'x'], '--shard has to be a whole number, 0 or more.'],
  [['dead-letters', 'replay', '--all', '--rate', '0'], `--rate ${FRACTION}`],
  [['dead-letters', 'replay', '--all', '--rate', 'fast'], `--rate ${FRACTION}`],
  [['shards', '--over', '-3'], `--over ${FRACTION}`],
  [['doctor', '--side-queue-limit', 'many'], `--side-queue-limit ${WHOLE}`],
  [['status', '--timeout', 'soon'], `--timeout ${FRACTION}`],
  [['status', '--timeout', '0'], `--timeout ${FRACTION}`],
  [
    ['state', 'forget', 'k', '--reason', 'r', '--state-version', '1.5'],
    '--state-version has to be a whole number, 0 or more.',
  ],
])('%j is refused with a sentence', async (args, sentence) => {
  const { terminal, written } = fakeTerminal({}, { columns: 200 });
  expect(await run(args, terminal)).toBe(2);
  expect(written).toEqual({ out: '', err: `mississippi: ${sentence} (mississippi --help lists what there is.)\n` });
});

test.each([
  ['keys', '--limit', '7', '--shard', '0'],
  ['shards', '--over', '0.5', '--timeout', '0.25'],
  ['dead-letters', 'replay', '--all', '--rate', '2.5'],
])('what is a number is taken: %s %s %s', async (...args) => {
  const { terminal, written } = fakeTerminal({}, { columns: 200 });
  expect(await run(args, terminal)).toBe(2);
  expect(written.err).toMatch(/^mississippi: No broker was named/);
});

test('a shard that the app does not have is refused', () => {
  expect(() => checkShard(undefined, 4)).not.toThrow();
  expect(() => checkShard(3, 4)).not.toThrow();
  expect(() => checkShard(4, 4)).toThrow(new UsageError('There is no shard 4: the app has 4, from 0 to 3.'));
});
