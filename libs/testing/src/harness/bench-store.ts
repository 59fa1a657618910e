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
    return new Proxy(connection, {
      get(target, name): unknown {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name === 'enqueue') life.enqueues = true;
        return (...args: unknown[]): unknown => {
          const answer: unknown = Reflect.apply(value, target, args);
          return answer instanceof Promise ? life.track('store', answer) : answer;
        };
      },
    });
  }
}
