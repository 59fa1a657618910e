import fc from 'fast-check';
import {
  decodeOrder,
  decodeReport,
  encodeOrder,
  encodeReport,
  readShards,
  writeShards,
  type Order,
  type Report,
} from '../../src/coordination/reports.js';

const TOTAL = 300;
const shards = fc.uniqueArray(fc.nat(TOTAL - 1), { maxLength: 60 }).map((list) => list.sort((a, b) => a - b));

const pauses = fc.record({ version: fc.nat(), types: fc.array(fc.string()) });
const told = fc.record(
  { pauses, paused: fc.constant(true), guarded: fc.constant(true), home: shards },
  { requiredKeys: [] },
);

const report: fc.Arbitrary<Report> = fc.record({
  id: fc.string(),
  seq: fc.nat(),
  name: fc.string(),
  application: fc.string(),
  totalCount: fc.constant(TOTAL),
  done: fc.string(),
  connected: fc.boolean(),
  left: fc.boolean(),
  weight: fc.double({ min: 0.1, max: 1_000, noNaN: true }),
  most: fc.oneof(fc.nat(TOTAL), fc.constant(Infinity)),
  had: shards,
  owned: shards,
  leaving: shards,
  unable: shards,
  verified: shards,
});

const order: fc.Arbitrary<Order> = fc.record({
  id: fc.string(),
  seq: fc.nat(),
  members: fc.nat(),
  claim: shards,
  verified: shards,
  shed: fc.nat(),
  wanted: shards,
});

test('shards are written in ranges', () => {
  expect(writeShards([])).toBe('');
  expect(writeShards([7])).toBe('7');
  expect(writeShards([12, 0, 1, 2, 3, 7, 9, 10, 11])).toBe('0-3 7 9-12');
});

test('a report, and an order, come as they went', () => {
  const comesAsItWent = (one: Report): void => expect(decodeReport(encodeReport(one), TOTAL)).toEqual(one);
  fc.assert(fc.property(report, told, (one, more) => comesAsItWent({ ...one, ...more })));
  fc.assert(fc.property(order, (one) => expect(decodeOrder(encodeOrder(one), TOTAL)).toEqual(one)));
  fc.assert(
    fc.property(order, pauses, shards, (one, paused, home) => {
      const told = { ...one, pauses: paused, home };
      expect(decodeOrder(encodeOrder(told), TOTAL)).toEqual(told);
    }),
  );
});

test('ten thousand shards of one process take few bytes', () => {
  const owned = Array.from({ length: 10_000 }, (_, shard) => shard);
  expect(writeShards(owned)).toBe('0-9999');
  expect(readShards('0-9999', 10_000)).toEqual(owned);
});

test.each([
  undefined,
  null,
  7,
  '1,2',
  '-1',
  '1-',
  '1--2',
  'x',
  '1.5',
  '299-300',
  '300',
  '3 2',
  '1 1',
  '0-3 2-4',
  '4-2',
])('of 300 shards %j are no list', (text) => {
  expect(() => readShards(text, TOTAL)).toThrow(TypeError);
});

test.each(['', 'null', '{}', '[]', '7', '{"id":"a","seq":"1"}', '{"id":"a","seq":1,"shed":0}', '{"id":"a","shed":0}'])(
  'what is neither report nor order is refused: %s',
  (text) => {
    const kinds = /no report|no order|no list of shards|Cannot destructure|Unexpected end/;
    expect(() => decodeReport(Buffer.from(text), TOTAL)).toThrow(kinds);
    expect(() => decodeOrder(Buffer.from(text), TOTAL)).toThrow(kinds);
  },
);

test('a report of more shards than there are is refused', () => {
  fc.assert(
    fc.property(report, fc.constantFrom('owned', 'leaving', 'unable', 'verified'), (one, list) => {
      const body = encodeReport({ ...one, [list]: [TOTAL] });
      expect(() => decodeReport(body, TOTAL)).toThrow(`no shards: ${TOTAL}`);
    }),
  );
});

test.each([
  ['weight', undefined],
  ['weight', 'heavy'],
  ['weight', 0],
  ['weight', -1],
  ['most', 'many'],
  ['most', -1],
  ['seq', 1.5],
  ['name', undefined],
  ['application', 7],
])('a report whose %s is %j is refused', (field, value) => {
  const [one] = fc.sample(report, 1);
  const said = JSON.parse(encodeReport(one!).toString()) as object;
  expect(() => decodeReport(Buffer.from(JSON.stringify({ ...said, [field]: value })), TOTAL)).toThrow('no report');
});
