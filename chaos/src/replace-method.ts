export type Method = (this: object, ...args: unknown[]) => unknown;

/** Replaces a method of a class, private ones too. */
export function replaceMethod(prototype: object, name: string, make: (original: Method) => Method): void {
  const original = Reflect.get(prototype, name) as Method | undefined;
  if (typeof original !== 'function') throw new Error(`There is no method '${name}' any more: the mutant must follow.`);
  Reflect.set(prototype, name, make(original));
}

/** Calls a method, private or not. */
export function callMethod(target: object, name: string, ...args: unknown[]): unknown {
  return (Reflect.get(target, name) as Method).apply(target, args);
}
