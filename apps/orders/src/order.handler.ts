import { ack, type DataUpdaterLifecycle, discard, MessageHandler, OnMessage, OnSignal } from '@mississippi/core';
import { become, type Order, UNKNOWN } from './order.js';
import { OrderCancelled, OrderCreated, type OrderMessages, OrderPaid, OrderShipped } from './order.messages.js';

/**
 * The life of an order. The sharding key is the order's id: its messages come one after the other, whatever their types. One that
 * does not fit where the order stands is dead-lettered with the reason, and changes nothing.
 */
@MessageHandler({ keys: 'string' })
export class OrderHandler implements DataUpdaterLifecycle<Order> {
  declare readonly messageTypes: OrderMessages;

  init(_id: string): Order {
    return UNKNOWN;
  }

  @OnMessage('order.created', { payload: OrderCreated })
  created({ cents }: OrderCreated, order: Order) {
    if (order.status !== 'unknown') return discard(`it is ${order.status} already`);
    return ack(become(order, 'open', { due: cents }));
  }

  @OnMessage('order.paid', { payload: OrderPaid })
  paid({ cents }: OrderPaid, order: Order) {
    if (order.status !== 'open') return discard(`nothing is due: it is ${order.status}`);
    if (cents > order.due) return discard(`${cents} cents are more than the ${order.due} that are due`);
    if (cents < order.due) return ack({ ...order, due: order.due - cents });
    return ack(become(order, 'paid', { due: 0 }));
  }

  @OnMessage('order.shipped', { payload: OrderShipped })
  shipped(_event: OrderShipped, order: Order) {
    if (order.status !== 'paid') return discard(`only what is paid is shipped: it is ${order.status}`);
    return ack(become(order, 'shipped'));
  }

  @OnMessage('order.cancelled', { payload: OrderCancelled })
  cancelled(_event: OrderCancelled, order: Order) {
    if (order.status !== 'open' && order.status !== 'paid') return discard(`too late: it is ${order.status}`);
    return ack(become(order, 'cancelled', { due: 0 }));
  }

  @OnSignal('look')
  look(_signal: undefined, order: Order): Order {
    return order;
  }
}
