import type { MessageHeaders } from '@mississippi/core';
import type { ConsumeMessage } from 'amqplib';
import { movedCopy } from '../src/publishing/moved-copy.js';
import { headerFrameBytes } from '../src/wire/header-frame.js';
import { DROPPED_HEADER, KEY_HEADER } from '../src/wire/header-names.js';
import { RabbitDelivery } from '../src/wire/rabbit-delivery.js';

const NOTES: MessageHeaders = { note: 1 };

function copyOf(properties: object, { frameMax = 131_072, ordered = false, notes = NOTES } = {}) {
  const message = { fields: { deliveryTag: 7, redelivered: false }, properties, content: Buffer.from('body') };
  return movedCopy(new RabbitDelivery(message as ConsumeMessage, false), notes, {
    queue: 'elsewhere',
    frameMax,
    ordered,
  }).options;
}

test('a copy goes nowhere but where it is moved to', () => {
  const { headers } = copyOf({ headers: { CC: ['river_0'], BCC: ['river_1'], own: 'kept' } });
  expect(headers).not.toHaveProperty('CC');
  expect(headers).not.toHaveProperty('BCC');
  expect(headers).toMatchObject({ own: 'kept' });
});

test('a copy carries what its publisher wrote, but no expiration and no user', () => {
  const carried = {
    contentType: 'application/json',
    contentEncoding: 'gzip',
    correlationId: 'c-1',
    replyTo: 'answers',
    type: 'order',
    appId: 'shop',
    priority: 0,
    messageId: 'm-1',
    timestamp: 1,
  };
  const copy = copyOf({ ...carried, headers: {}, expiration: '1000', userId: 'guest' });
  expect(copy).toMatchObject({ ...carried, persistent: true, mandatory: true });
  expect(copy).not.toHaveProperty('expiration');
  expect(copy).not.toHaveProperty('userId');
});

test('a copy carries nothing that the client or the broker would refuse', () => {
  const copy = copyOf({ type: '\ufffd'.repeat(255), appId: 5, replyTo: 'amq.rabbitmq.reply-to', priority: 'high' });
  for (const name of ['type', 'appId', 'replyTo', 'priority']) expect(copy).not.toHaveProperty(name);
});

test('a copy has no priority where order counts', () => {
  const properties = { headers: {}, type: 'order', priority: 9 };
  expect(copyOf(properties, { ordered: true })).not.toHaveProperty('priority');
  expect(copyOf(properties, { ordered: true })).toMatchObject({ type: 'order' });
});

describe('where the broker takes small frames, a copy fits:', () => {
  const frameMax = 16_384;
  const text = (size: number): string => 'é'.repeat(size / 2);
  const notes = {
    mississippi_reason: 'attempts_exhausted',
    mississippi_error: `Error: ${text(1_390)}`,
    mississippi_stack: text(1_500),
    mississippi_attempts: 5,
    mississippi_shard: 3,
    mississippi_key: text(600),
    mississippi_parked: 'pressure',
  };
  const short = ['mississippi_reason', 'mississippi_attempts', 'mississippi_shard', 'mississippi_parked'] as const;

  test.each([
    ['the notes are cut, no header is dropped', { own: text(14_000) }, 16, []],
    ['of two headers one is dropped and named', { one: text(8_000), two: text(7_000) }, 1_000, ['two']],
    ['a large key stays', { own: text(14_000) }, 14_000, ['own']],
    ['so does one that leaves room for nothing else', {}, 15_800, []],
  ])('%s', (_what, own, keySize, dropped) => {
    const key = Buffer.alloc(keySize, 0x83);
    const properties = { headers: { ...own, [KEY_HEADER]: key }, messageId: 'm'.repeat(36), type: 't'.repeat(255) };
    const options = copyOf(properties, { frameMax, notes });
    const headers = options.headers as Record<string, unknown>;
    expect(headerFrameBytes(options)).toBeLessThanOrEqual(frameMax);
    expect(headers[KEY_HEADER]).toEqual(key);
    for (const name of short) {
      if (keySize < 15_000) expect(headers).toHaveProperty(name);
    }
    if (keySize < 14_000) expect(headers['mississippi_error']).toMatch(/^Error: é+/);
    expect(headers[DROPPED_HEADER] ?? '').toBe(dropped.join(', '));
  });

  test('with large frames nothing is cut', () => {
    const { headers } = copyOf({ headers: { own: text(14_000) } }, { notes });
    expect(headers).toMatchObject({ mississippi_error: notes.mississippi_error, mississippi_stack: text(1_500) });
  });
});
