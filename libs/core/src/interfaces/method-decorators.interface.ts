import type { MessageTypesOf } from './message-types.interface.js';
import type { PayloadOf } from './payload-codec.interface.js';

/** Any method. */
type Method = (...args: never[]) => unknown;

/**
 * What `@OnMessage(type, { payload })` returns. The compiler refuses a type that the class does not list in `messageTypes`, where it
 * has such a list, and a payload that the method's first parameter does not take.
 * @publicApi
 */
export type MessageMethodDecorator<Name extends string = never, Shape = never> = <
  Target extends object,
  Handles extends Method,
>(
  target: Target & Listed<Target, Name>,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Handles> & Takes<Handles, Promised<Target, Name>> & Takes<Handles, Shaped<Shape>>,
) => void;

/**
 * What `@OnSignal(name)` returns.
 * @publicApi
 */
export type SignalMethodDecorator = <Answers extends Method>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Answers>,
) => void;

/** Nothing to say against it. */
type Fine = unknown;

/** What the compiler prints where a type is not in the class's list. */
interface NotListed<Name extends string> {
  readonly ['This type is not among the messageTypes of the class']: Name;
}

/** What the compiler prints where a payload does not fit. */
interface DoesNotTake<Payload> {
  readonly ["The method's first parameter does not take this payload"]: Payload;
}

type Listed<Target, Name extends string> = [Name] extends [never]
  ? Fine
  : 'messageTypes' extends keyof Target
    ? Name extends keyof MessageTypesOf<Target>
      ? Fine
      : NotListed<Name>
    : Fine;

/** What the class's list says of a type; `never` where it says nothing. */
type Promised<Target, Name extends string> = [Name] extends [never]
  ? never
  : Name extends keyof MessageTypesOf<Target>
    ? MessageTypesOf<Target>[Name]
    : never;

type Shaped<Shape> = [Shape] extends [never] ? never : PayloadOf<Shape>;

/** A method may take the payload, or with Nest's `@Payload('property')` a property of it, or nothing. */
type Takes<Handles extends Method, Payload> = [Payload] extends [never]
  ? Fine
  : Parameters<Handles> extends []
    ? Fine
    : [Payload] extends [Parameters<Handles>[0]]
      ? Fine
      : true extends TakesProperty<Parameters<Handles>[0], Payload>
        ? Fine
        : DoesNotTake<Payload>;

type TakesProperty<First, Payload> = Payload extends string | Uint8Array
  ? never
  : {
      [Name in keyof Payload]-?: 0 extends 1 & Payload[Name] ? never : Payload[Name] extends First ? true : never;
    }[keyof Payload];
