/**
 * The types of messages that a handler class lists, with their payloads: `never` where it lists none.
 * @example
 * class OrderHandler {
 *   declare readonly messageTypes: { 'order.created': OrderCreated; 'order.paid': OrderPaid };
 * }
 * @publicApi
 */
export type MessageTypesOf<Handler> = 'messageTypes' extends keyof Handler
  ? NonNullable<Handler['messageTypes']>
  : object;
