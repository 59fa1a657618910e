import { encodeTerm } from '@mississippi/terms';
import type { ConsumeMessage } from 'amqplib';
import { idOf, ParkedDeliveries } from '../src/sessions/parked-deliveries.js';
import { ParkedIndex } from '../src/sessions/parked-index.js';
import { RabbitDelivery } from '../src/wire/rabbit-delivery.js';

/** What somebody put into the side queue. */
function delivery(deliveryTag: number, key: unknown): RabbitDelivery {
  const message = {
    content: Buffer.from(String(deliveryTag)),
    fields: { deliveryTag, redelivered: false },
    properties: { headers: key === undefined ? {} : { sharding_key: key } },
  };
  return new RabbitDelivery(message as unknown as ConsumeMessage, true);
}

const KEY = Buffer.from(encodeTerm('k'));

test('what has no key that can be read is listed in its place, without one, and found by that', () => {
  const deliveries = new ParkedDeliveries();
  const odd = [undefined, Buffer.from('nonsense'), Buffer.alloc(0), 17].map((key, index) => delivery(index + 1, key));
  const index = new ParkedIndex();
  for (const each of [...odd, delivery(9, KEY)]) {
    deliveries.add(each);
    index.add(each);
  }
  expect(index.entries.map(({ key }) => key)).toEqual([undefined, undefined, undefined, undefined, KEY]);
  for (const each of odd) {
    expect(deliveries.first(idOf(undefined))).toBe(each);
    expect(deliveries.remove(each)).toBe(true);
  }
  expect(deliveries.first(idOf(undefined))).toBeUndefined();
  expect(deliveries.size).toBe(1);
});
