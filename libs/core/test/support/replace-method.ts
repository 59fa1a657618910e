/** The names of the methods of an object, so that a renamed method is an error of compilation. */
type MethodOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T];

/** Replaces a method of one object. `make` gets the original, which needs no `this`. */
export function replaceMethod<T extends object, K extends MethodOf<T>>(
  target: T,
  name: K,
  make: (original: T[K]) => T[K],
): void {
  const original = target[name] as (...args: never[]) => unknown;
  target[name] = make(original.bind(target) as T[K]);
}
