/** The same object, except for what is changed. */
export function changed<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get: (_target, name) => {
      const value: unknown = name in changes ? Reflect.get(changes, name) : Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(name in changes ? changes : target) as unknown) : value;
    },
  });
}
