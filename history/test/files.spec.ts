import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Seeded } from '#support/seeded.js';
import {
  HISTORY_SUFFIX,
  HistoryTail,
  inOrderOfTime,
  readHistory,
  readHistoryOf,
  type HistoryEvent,
} from '../src/index.js';
import { HistoryWriter } from './legal-history.js';

const { events } = HistoryWriter.legal(new Seeded(3));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mississippi-history-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(process: string, text: string): void {
  appendFileSync(join(folder, `${process}${HISTORY_SUFFIX}`), text);
}

const lineOf = (event: HistoryEvent): string => `${JSON.stringify(event)}\n`;

test('the files of all processes make one history in the order of time, without torn lines', () => {
  for (const event of events) write(event.process, lineOf(event));
  write('w0.1', '{"type":"start","id":"k1#');
  expect(readHistory(folder)).toEqual(inOrderOfTime(events));
});

test('a file that is larger than what is read at once is read whole', () => {
  const own = events.filter(({ process }) => process === 'publisher.1');
  for (const event of own) write('publisher.1', lineOf(event));
  const tail = new HistoryTail(folder, undefined, 37);
  expect(tail.read()).toEqual(own);
  write('publisher.1', lineOf(own[0]!));
  expect(tail.read()).toEqual([own[0]]);
  tail.close();
});

test('a place is told from another whose name begins like its own', () => {
  const [event] = events;
  for (const process of ['publisher1.1', 'publisher1.2', 'publisher10.1'])
    write(process, lineOf({ ...event!, process }));
  expect(readHistoryOf(folder, 'publisher1').map(({ process }) => process)).toEqual(['publisher1.1', 'publisher1.2']);
});
