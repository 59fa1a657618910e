import type { MessageTypesOf } from './message-types.interface.js';
import type { PayloadOf } from './payload-codec.interface.js';

/**
 * Any method of a handler, for the compiler.
 * @publicApi
 */
export type AnyMethod = (...args: never[]) => unknown;

/**
 * What `@OnMessage(type, { payload })` returns. The compiler refuses a type that the class does not list in `messageTypes`, where it
 * has such a list, and a payload that the method's first parameter does not take.
 * @publicApi
 */
export type MessageMethodDecorator<Name extends string = never, Shape = never> = <
  Target extends object,
  Handles extends AnyMethod,
>(
  target: Target & TypeIsListed<Target, Name>,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Handles> &
    MethodTakes<Handles, Name extends keyof MessageTypesOf<Target> ? MessageTypesOf<Target>[Name] : never> &
    MethodTakes<Handles, [Shape] extends [never] ? never : PayloadOf<Shape>>,
) => void;

/**
 * What `@OnSignal(name)` returns.
 * @publicApi
 */
export type SignalMethodDecorator = <Answers extends AnyMethod>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Answers>,
) => void;

/**
 * Holds where a class has no list of types, or the type is in it; otherwise it is what the compiler prints.
 * @publicApi
 */
export type TypeIsListed<Target, Name extends string> = [Name] extends [never]
  ? unknown
  : 'messageTypes' extends keyof Target
    ? Name extends keyof MessageTypesOf<Target>
      ? unknown
      : { readonly ['This type is not among the messageTypes of the class']: Name }
    : unknown;

/**
 * Holds where a method's first parameter takes the payload, or as with Nest's `@Payload('property')` a property of it, or where it has
 * no parameter; otherwise it is what the compiler prints. A payload `never` is not known.
 * @publicApi
 */
export type MethodTakes<Handles extends AnyMethod, Payload> = [Payload] extends [never]
  ? unknown
  : Parameters<Handles> extends []
    ? unknown
    : [Payload] extends [Parameters<Handles>[0]]
      ? unknown
      : true extends (
            Payload extends string | Uint8Array
              ? never
              : {
                  [Name in keyof Payload]-?: 0 extends 1 & Payload[Name]
                    ? never
                    : Payload[Name] extends Parameters<Handles>[0]
                      ? true
                      : never;
                }[keyof Payload]
          )
        ? unknown
        : { readonly ["The method's first parameter does not take this payload"]: Payload };
