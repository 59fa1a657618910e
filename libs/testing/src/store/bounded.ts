import type { Journal } from '../conformance/journal.js';

/** The same object, whose promises are awaited for a bounded time, so that a call that never ends says which one it is. */
export function bounded<T extends object>(target: T, name: string, journal: Journal): T {
  return new Proxy(target, {
    get: (_target, property) => {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, args);
        if (!(result instanceof Promise)) return result;
        const call = `${name}.${String(property)}`;
        journal.note(call);
        return journal.settled(call, result);
      };
    },
  });
}
