import type { ConsumeMessage } from 'amqplib';
import { movedCopy } from '../src/sessions/moved-copy.js';
import { RabbitDelivery } from '../src/wire/rabbit-delivery.js';

function copyOf(properties: object) {
  const message = { fields: { deliveryTag: 7, redelivered: false }, properties, content: Buffer.from('body') };
  return movedCopy(new RabbitDelivery(message as ConsumeMessage, false), { note: 1 }, 'elsewhere').options;
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
