import { randomBytes } from 'node:crypto';
import type { MessageHeaders } from '@mississippi/core';
import { PROPERTY_NAMES, type OutgoingMessage } from '@mississippi/core/transport';
import { encodeTerm, ErlangAtom, ErlangTuple, type Term } from '@mississippi/terms';
import { assertSameMessage } from '../../conformance/assertions.js';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import type { Stage } from '../stage.js';

const KEYS: readonly Term[] = [
  'user_1',
  'größe 🜁',
  '',
  new Uint8Array(0),
  Uint8Array.of(0xff, 0xfe, 0x80, 0x00, 0xc3, 0x28),
  Uint8Array.from({ length: 256 }, (_, index) => index),
  0,
  255,
  -1,
  2n ** 70n,
  1.5,
  true,
  null,
  ['a', 1, Uint8Array.of(0x80)],
  new ErlangTuple([new ErlangAtom('device'), 7]),
  { a: 1 },
];

const LOSSLESS: MessageHeaders = {
  text: 'plain',
  empty: '',
  unicode: 'Ærøskøbing 🜁',
  zero: 0,
  negative: -1,
  large: Number.MAX_SAFE_INTEGER,
  small: Number.MIN_SAFE_INTEGER,
  huge: 2n ** 62n,
  odd: 2n ** 53n + 1n,
  largest: 2n ** 63n - 1n,
  smallest: -(2n ** 63n),
  double: 2 ** 60,
  replaced: 'a \ufffd is a character too',
  yes: true,
  no: false,
  bytes: Uint8Array.of(0x83, 0x00, 0xff, 0x80),
  noBytes: new Uint8Array(0),
  list: ['a', 1, false, Uint8Array.of(0xff)],
  noList: [],
  table: { text: 'inner', number: 7, deep: { list: [[1, 2], [3], [2n ** 60n + 1n]], bytes: Uint8Array.of(0xfe) } },
  noTable: {},
  'x-with dashes and spaces': 'name',
};

/** `null` may arrive as an empty string, a fraction with the precision of 32 bits. */
const LOSSY: MessageHeaders = { nothing: null, fraction: 1.1, inside: [null, { nothing: null, fraction: -0.3 }] };

/** Everything of a message arrives as it left. */
export const fidelityCases: readonly ConformanceCase[] = [
  conformanceCase('sharding keys arrive byte by byte, whatever they hold', {}, async (stage) => {
    const random = Array.from({ length: 40 }, () => encodeTerm(new Uint8Array(randomBytes(16))));
    const keys = [...KEYS.map((key) => encodeTerm(key)), ...random];
    await publishAndCompare(
      stage,
      keys.map((key) => stage.message(key)),
    );
  }),

  conformanceCase('bodies arrive byte by byte, an empty one too', {}, async (stage) => {
    const bodies = [new Uint8Array(0), Uint8Array.of(0), randomBytes(1), randomBytes(5_000), Buffer.from('{"a":1}')];
    await publishAndCompare(
      stage,
      bodies.map((body) => stage.message(stage.key(0), { body })),
    );
  }),

  conformanceCase('a body of 1 MB arrives', {}, async (stage) => {
    await publishAndCompare(stage, [stage.message(stage.key(0), { body: randomBytes(1_048_576) })]);
  }),

  conformanceCase('headers arrive with their values and types', {}, async (stage) => {
    const messages = [LOSSLESS, {}].map((headers) => stage.message(stage.key(0), { headers }));
    await publishAndCompare(stage, messages);
  }),

  conformanceCase('null and fractions in headers arrive, perhaps less precise', {}, async (stage) => {
    await publishAndCompare(stage, [stage.message(stage.key(0), { headers: LOSSY })]);
  }),

  conformanceCase('the message id and the timestamp arrive', {}, async (stage) => {
    const key = stage.key(0);
    await publishAndCompare(stage, [
      stage.message(key, { messageId: '0b9d2c5e-5a49-4b44-9d3f-7f8f5b7a6c11' }),
      stage.message(key, { messageId: 'no UUID, but ünique' }),
      stage.message(key, { timestamp: 0 }),
      stage.message(key, { timestamp: 1 }),
      stage.message(key, { timestamp: 4_294_967_296 }),
    ]);
  }),

  conformanceCase('type, content type and the other properties arrive, each by itself too', {}, async (stage) => {
    const each = PROPERTY_NAMES.map((name) => ({ [name]: `ünique ${name}` }));
    const all = Object.assign({}, ...each) as OutgoingMessage['properties'];
    const long = { type: 'é'.repeat(127), correlationId: 'x'.repeat(255), appId: '' };
    await publishAndCompare(
      stage,
      [...each, all, long, undefined].map((properties) => stage.message(stage.key(0), { properties })),
    );
  }),
];

async function publishAndCompare(stage: Stage, messages: readonly OutgoingMessage[]): Promise<void> {
  const peer = await stage.consumer();
  await peer.publish(...messages);
  for (let shard = 0; shard < stage.totalCount; shard++) {
    const expected = messages.filter((message) => message.shard === shard);
    const session = await peer.session(shard);
    const deliveries = await session.handle(expected.length);
    deliveries.forEach((delivery, index) => assertSameMessage(delivery, expected[index]!));
  }
}
