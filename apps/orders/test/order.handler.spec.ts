import { DataUpdaterService } from '@mississippi/core';
import { MississippiHarness } from '@mississippi/testing';
import { ConsoleLogger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Order } from '../src/order.js';
import { OrderHandler } from '../src/order.handler.js';
import { OrdersModule } from '../src/orders.module.js';

const CREATED = { customer: 'ann', cents: 1_500 };

describe('An order', () => {
  let harness: MississippiHarness;

  beforeEach(async () => {
    const builder = Test.createTestingModule({ imports: [OrdersModule.register()] });
    const quiet = new ConsoleLogger({ logLevels: ['fatal'] });
    harness = await MississippiHarness.create(builder.setLogger(quiet));
  });

  afterEach(() => harness.close());

  /** Sends messages of one order, all before the first is handled, and waits for their end. */
  async function happens(...events: [type: string, payload: unknown][]): Promise<void> {
    await Promise.all(events.map(([type, payload]) => harness.send('order-1', payload, { type })));
    await harness.settled();
  }

  const order = () => harness.state<Order>('order-1');
  const refusals = () => harness.deadLetters().map(({ type, error }) => `${type}: ${error}`);

  it('is created, paid in two parts and shipped', async () => {
    const parts: [string, unknown][] = [
      ['order.paid', { cents: 1_000 }],
      ['order.paid', { cents: 500 }],
    ];
    await happens(['order.created', CREATED], ...parts, ['order.shipped', { parcel: 'P-1' }]);
    expect(await order()).toEqual({ status: 'shipped', due: 0, history: ['open', 'paid', 'shipped'] });
    expect(harness.outcomes('order-1')).toEqual(['handled', 'handled', 'handled', 'handled']);
  });

  it('can be cancelled until it is shipped', async () => {
    const cancelled: [string, unknown] = ['order.cancelled', { reason: 'changed my mind' }];
    await happens(['order.created', CREATED], cancelled, ['order.paid', { cents: 1_500 }], cancelled);
    expect(await order()).toMatchObject({ status: 'cancelled', due: 0 });
    expect(refusals()).toEqual([
      'order.paid: nothing is due: it is cancelled',
      'order.cancelled: too late: it is cancelled',
    ]);
  });

  it('refuses what comes too early or is too much, and goes on', async () => {
    await happens(['order.paid', { cents: 1 }], ['order.created', CREATED], ['order.created', CREATED]);
    await happens(['order.shipped', { parcel: 'P-1' }], ['order.paid', { cents: 1_501 }]);
    expect(await order()).toEqual({ status: 'open', due: 1_500, history: ['open'] });
    expect(refusals()).toEqual([
      'order.paid: nothing is due: it is unknown',
      'order.created: it is open already',
      'order.shipped: only what is paid is shipped: it is open',
      'order.paid: 1501 cents are more than the 1500 that are due',
    ]);
  });

  it.each([
    ['order.created', { customer: 'ann', cents: '12' }],
    ['order.created', { customer: '', cents: 12 }],
    ['order.paid', { cents: -1 }],
    ['order.shipped', {}],
    ['order.cancelled', { reason: 5 }],
  ])('never sees %s with the payload %j', async (type, payload) => {
    await happens([type, payload]);
    expect(harness.deadLetters()).toMatchObject([{ type, reason: 'payload_invalid' }]);
    expect(harness.outcomes('order-1')).not.toContain('handled');
  });

  it('waits, with all that follows, for a version that knows a type that this one does not', async () => {
    await happens(['order.created', CREATED], ['order.returned', {}], ['order.paid', { cents: 1_500 }]);
    expect(await order()).toMatchObject({ status: 'open' });
    expect(harness.parked()).toMatchObject([{ key: 'order-1', messages: 2 }]);
  });

  it('is written to and looked at by its client', async () => {
    const client = harness.get<DataUpdaterService>(DataUpdaterService).for(OrderHandler).key('order-1');
    await client.publish('order.created', CREATED);
    await harness.settled();
    expect(await client.look()).toEqual({ status: 'open', due: 1_500, history: ['open'] });
  });
});
