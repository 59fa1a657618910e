import type { ResolvedFailurePolicy } from '../mississippi.options.js';
import type { PayloadShape } from '../options/on-message.options.js';

/** A method as it is called: with payload or signal, state and context. */
export type CalledMethod = (payload: unknown, state: unknown, context: unknown) => unknown;

/** A method that handles messages. */
export interface MessageMethod {
  readonly call: CalledMethod;
  /** In place of the instance's. */
  readonly payload: PayloadShape | undefined;
  /** In place of the instance's. */
  readonly failurePolicy: ResolvedFailurePolicy | undefined;
}

/** Which method handles what. It is made once, when the app starts, and never changes. */
export interface MethodTable<Method> {
  readonly byName: ReadonlyMap<string, Method>;
  /** For what no other method claims, the handler's `handleMessage` or `handleSignal` say. */
  readonly other: Method | undefined;
}

/** What is for a type or a name; `undefined` where nothing is. */
export function inTable<Method>({ byName, other }: MethodTable<Method>, name: string | undefined): Method | undefined {
  return (name === undefined ? undefined : byName.get(name)) ?? other;
}

/** The methods of a handler and its parts; `undefined` where nothing is decorated, so that there is nothing to look up. */
export interface HandlerMethods {
  readonly messages: MethodTable<MessageMethod> | undefined;
  readonly signals: MethodTable<CalledMethod> | undefined;
}
