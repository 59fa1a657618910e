import { Paint } from '../src/output/paint.js';
import { widthOf } from '../src/output/plain-text.js';
import { table, type Column } from '../src/output/table.js';

interface Row {
  key: string;
  count: number;
  id: string;
  process: string;
  error?: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'KEY', value: ({ key }) => key, least: 6 },
  { title: 'COUNT', value: ({ count }) => count, right: true },
  { title: 'ID', value: ({ id }) => id, least: 6, spare: 1 },
  { title: 'PROCESS', value: ({ process }) => process, least: 10, spare: 2 },
];
const ROWS: readonly Row[] = [
  { key: 'a key', count: 7, id: 'bdae71cb-a2da-4a6a-b7f0', process: 'host:1871:1879', error: 'Error: it is broken' },
  { key: 'a very long key 東京'.repeat(3), count: 12_345, id: '-', process: 'h' },
];

const drawn = (columns: number, paint = new Paint(false)): string[] =>
  table(ROWS, COLUMNS, { columns, paint }, { below: ({ error }) => error });

test('a table has all there is where there is room, numbers to the right, and details below their row', () => {
  expect(drawn(200)).toEqual([
    'KEY                                                           COUNT  ID                       PROCESS',
    'a key                                                             7  bdae71cb-a2da-4a6a-b7f0  host:1871:1879',
    '    Error: it is broken',
    'a very long key 東京a very long key 東京a very long key 東京  12345  -                        h',
  ]);
});

test.each([120, 80, 60, 40, 30, 24])('a table is no wider than %i columns', (columns) => {
  const lines = drawn(columns);
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  expect(lines.join('\n')).toContain('12345');
});

test('spare columns go, the last of them first, before others are cut to the least', () => {
  expect(drawn(28)[0]).toBe('KEY        COUNT  ID');
  expect(drawn(16)[0]).toBe('KEY        COUNT');
});

test('there are no colours where none are wanted', () => {
  expect(drawn(80).join('')).not.toContain('\u001b');
  expect(drawn(80, new Paint(true)).join('')).toContain('\u001b');
});
