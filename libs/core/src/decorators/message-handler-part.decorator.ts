import { DiscoveryService } from '@nestjs/core';
import { IsInstanceName, Optional } from '../options/validators.js';
import { markClass } from './mark-class.js';

/**
 * What `@MessageHandlerPart(...)` takes.
 * @publicApi
 */
export class MessageHandlerPartOptions {
  /** Name of the instance to whose handler it belongs. Default `'default'`. */
  @Optional()
  @IsInstanceName()
  instance?: string;
}

/** Marks parts for Nest's discovery. */
export const MessageHandlerPartMark = DiscoveryService.createDecorator<MessageHandlerPartOptions>();

/**
 * Makes a class a part of an instance's message handler: a singleton provider, of another module say, with methods of its own for
 * types of messages and names of signals. Keys and their state are the handler's: it alone has `init` and the other callbacks.
 * @example
 * \@MessageHandlerPart({ instance: 'orders' })
 * export class OrderPayments {
 *   \@OnMessage('order.paid', { payload: OrderPaid })
 *   paid(event: OrderPaid, state: Order) { return ack({ ...state, paid: true }); }
 * }
 * @publicApi
 */
export function MessageHandlerPart(options: MessageHandlerPartOptions = {}): ClassDecorator {
  return markClass('MessageHandlerPart', MessageHandlerPartMark, options);
}
