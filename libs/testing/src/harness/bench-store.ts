import type { Store, StoreConnection, StoreContext } from '@mississippi/core/store';
import type { Life } from './life.js';

/** A store of which is known what it was asked and has not answered. */
export class BenchStore implements Store {
  readonly name: string;

  constructor(
    private readonly store: Store,
    private readonly life: Life,
  ) {
    this.name = store.name;
  }

  async connect(context: StoreContext): Promise<StoreConnection> {
    const { life } = this;
    const connection = await life.track('store', this.store.connect(context));
    life.store = connection;
    return watched(connection, life);
  }
}

/** The connection, or a transaction that it began, with its calls counted. */
function watched<T extends object>(target: T, life: Life): T {
  return new Proxy(target, {
    get(_, name): unknown {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name === 'enqueue') life.enqueues = true;
      return (...args: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, target, args);
        if (!(answer instanceof Promise)) return answer;
        const counted = life.track('store', answer);
        return name === 'begin' ? counted.then((transaction: object) => watched(transaction, life)) : counted;
      };
    },
  });
}
