import { ROUTE_ARGS_METADATA } from '../enhancers/enhancer-metadata.js';
import type { ShardingKey as Key } from '../keys/sharding-key.js';
import { ParameterType } from '../methods/parameter-metadata.js';

/**
 * Gives a parameter of a handler's method the key's state, beside Nest's `@Payload()` and `@Ctx()`. A method has decorators on all of
 * its parameters, or on none.
 * @example
 * \@OnMessage('order.paid')
 * paid(\@Payload('amount', ParseIntPipe) amount: number, \@KeyState() state: Order, \@ShardingKey() id: string) { … }
 * @publicApi
 */
export const KeyState = (): ParameterDecorator => parameter(ParameterType.state);

/**
 * As a type: any term as which a key travels. As a decorator: gives a parameter of a handler's method the sharding key, as the
 * context has it.
 * @publicApi
 */
export const ShardingKey = (): ParameterDecorator => parameter(ParameterType.key);
export type ShardingKey = Key;

/** As Nest keeps what its own decorators of parameters say. */
function parameter(type: number): ParameterDecorator {
  return (target, method, index) => {
    const others: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, method!);
    const own = { [`${type}:${index}`]: { index, data: undefined, pipes: [] } };
    Reflect.defineMetadata(ROUTE_ARGS_METADATA, { ...(others as object), ...own }, target.constructor, method!);
  };
}
