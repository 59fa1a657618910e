import type { Type } from '@nestjs/common';
import { isHandlerClass } from './handler-class.js';

export type Method = (...args: unknown[]) => unknown;

/** A handler and a method of it as Nest is to see them: with the decorators of the class and of its method. */
export interface Decorated {
  readonly handler: object;
  readonly method: Method | undefined;
}

/**
 * A mock in a test knows neither its class nor its decorators, and a proxy may hand out methods that are bound or wrapped.
 * They must not lose their guards: Nest gets a stand-in then, made from the decorated class, that calls the handler.
 * A method that a subclass overrides without decorators handles what the overridden one handles, so it has its guards too.
 * @param type the decorated class, where the handler does not know it
 * @param claimed the prototype whose method says what it handles
 */
export function decoratedOf(handler: object, name: string, type?: Type, claimed?: object): Decorated {
  const method = Reflect.get(handler, name) as Method | undefined;
  const knowsItself = isHandlerClass(handler.constructor);
  const { prototype } = (knowsItself ? handler.constructor : type) ?? {};
  const declared = methodOf(prototype as object | undefined, name);
  const inherited = methodOf(claimed, name);
  const isDeclared =
    (declared === undefined || declared === method) && (inherited === undefined || inherited === method);
  if (method === undefined || prototype === undefined || (knowsItself && isDeclared)) return { handler, method };
  const standIn: Method = { [name]: (...args: unknown[]) => Reflect.apply(method, handler, args) }[name]!;
  for (const source of [inherited, declared, method]) if (source !== undefined) copyMetadata(source, standIn);
  return { handler: Object.create(prototype as object) as object, method: standIn };
}

/** The method that a class declares or inherits. What is behind a getter needs an instance. */
function methodOf(prototype: object | undefined, name: string): Method | undefined {
  for (let at = prototype; at !== undefined; at = (Object.getPrototypeOf(at) as object | null) ?? undefined) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor !== undefined) return descriptor.value as Method | undefined;
  }
  return undefined;
}

function copyMetadata(source: Method, target: Method): void {
  for (const key of Reflect.getMetadataKeys(source) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, source), target);
  }
}
