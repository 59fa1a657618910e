import type { Term } from '@mississippi/terms';
import { ParameterType } from '../methods/parameter-metadata.js';
import { ROUTE_ARGS_METADATA } from '../nest.js';

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
 * The value by which messages are ordered: a string, an integer, bytes, or a list of them; with the option `keys` any term
 * that the wire format carries. At most 16 KB encoded.
 *
 * Keys are one where their terms are: `42` and `42n`, and a string and the bytes of its UTF-8. `42` and `'42'` are two, and
 * so are `1` and `1.0` (an `ErlangFloat`).
 * @publicApi
 */
export type ShardingKey = Exclude<Term, null>;

/**
 * Gives a parameter of a handler's method the sharding key, as `context.key` has it.
 * @publicApi
 */
export const ShardingKey = (): ParameterDecorator => parameter(ParameterType.key);

/** As Nest keeps what its own decorators of parameters say. */
function parameter(type: number): ParameterDecorator {
  return (target, method, index) => {
    const others: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, method!);
    const own = { [`${type}:${index}`]: { index, data: undefined, pipes: [] } };
    Reflect.defineMetadata(ROUTE_ARGS_METADATA, { ...(others as object), ...own }, target.constructor, method!);
  };
}
