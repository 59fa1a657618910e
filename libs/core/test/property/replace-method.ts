export type Method = (this: object, ...args: unknown[]) => unknown;

/** Replaces a method of a class, private ones too. The returned function puts the original back. */
export function replaceMethod(prototype: object, name: string, make: (original: Method) => Method): () => void {
  const original = Reflect.get(prototype, name) as Method;
  Reflect.set(prototype, name, make(original));
  return () => void Reflect.set(prototype, name, original);
}
