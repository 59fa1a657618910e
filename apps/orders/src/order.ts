/** What is known of an order. */
export interface Order {
  status: 'unknown' | 'open' | 'paid' | 'shipped' | 'cancelled';
  /** What is still to be paid. */
  due: number;
  /** The status that it had, oldest first. */
  history: Order['status'][];
}

export const UNKNOWN: Order = { status: 'unknown', due: 0, history: [] };

/** The order with another status, and what else changes with it. */
export function become(order: Order, status: Order['status'], changes: Partial<Order> = {}): Order {
  return { ...order, ...changes, status, history: [...order.history, status] };
}
