import type { MessageMethodDecorator } from '../interfaces/method-decorators.interface.js';
import { addClaim } from '../methods/claims.js';
import type { OnMessageOptions, PayloadShape } from '../options/on-message.options.js';

/**
 * Makes a method of a handler the one for messages of a type; without a type, for whatever no other method claims, as
 * `handleMessage` is. It gets payload, state and context like that, or what its parameters are decorated with, and answers like that.
 * @example
 * \@OnMessage('order.paid', { payload: OrderPaid, failurePolicy: { attempts: 20 } })
 * paid(event: OrderPaid, state: Order, context: MessageContext) { return ack({ ...state, paid: true }); }
 * @publicApi
 */
export function OnMessage(): MessageMethodDecorator;
export function OnMessage<const Name extends string, Shape extends PayloadShape = never>(
  type: Name,
  options?: OnMessageOptions & { readonly payload?: Shape },
): MessageMethodDecorator<Name, Shape>;
export function OnMessage(type?: string, options: OnMessageOptions = {}): MessageMethodDecorator {
  return (target: object, method: string | symbol) => {
    addClaim(target, { kind: 'message', name: type, method, options });
  };
}
