import { ack, memoryStore, MessageHandler, MississippiModule, StoreBusyError } from '@mississippi/core';
import type { DataUpdaterHandler, MemoryStoreClient, MessageContext } from '@mississippi/core';
import type { Store } from '@mississippi/core/store';
import { Test } from '@nestjs/testing';
import { MississippiHarness } from '../src/index.js';

/** So long that a wait which nobody wakes ends the test, and not itself. Milliseconds. */
const FOR_EVER = 2 ** 31 - 1;

/** Every answer takes its real time, those of transactions too. */
function slow<T extends object>(target: T): T {
  return new Proxy(target, {
    get(_, name): unknown {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, target, args);
        if (!(answer instanceof Promise)) return answer;
        return answer.then(async (result: object) => {
          await new Promise((resolve) => setTimeout(resolve, 10));
          return name === 'begin' ? slow(result) : result;
        });
      };
    },
  });
}

@MessageHandler()
class CountHandler implements DataUpdaterHandler<number, string> {
  init(): number {
    return 0;
  }

  async handleMessage(payload: string, count: number, context: MessageContext) {
    if (payload === 'write') await (await context.transaction<MemoryStoreClient>()).set('written', 'yes');
    context.publish('counted', { shardingKey: `${context.key}-next` });
    return ack(count + 1);
  }
}

test('what a store refuses for the time being is left to do', async () => {
  const memory = memoryStore();
  let refusals = 1;
  const store: Store = {
    name: 'busy',
    async connect(context) {
      const connection = await memory.connect(context);
      const commit = connection.commit.bind(connection);
      connection.commit = (commits) =>
        refusals-- > 0 ? Promise.reject(new StoreBusyError('The store is busy.')) : commit(commits);
      return connection;
    },
  };
  const metadata = { imports: [MississippiModule.forRoot({ store })], providers: [CountHandler] };
  const harness = await MississippiHarness.create(Test.createTestingModule(metadata), { store: 'own', deliver: false });
  await harness.send('a', 'count');
  await expect(harness.settled()).rejects.toThrow(
    /what a callback of the key "a" changed is not committed\nTime stands/,
  );
  await harness.settled({ advance: 1_000 });
  expect(await harness.state('a')).toBe(1);
  await harness.close();
});

test.each(['count', 'write'])('what a slow store has not answered is awaited: %s', async (payload) => {
  const memory = memoryStore();
  const store: Store = { name: 'slow', connect: async (context) => slow(await memory.connect(context)) };
  const metadata = { imports: [MississippiModule.forRoot({ store })], providers: [CountHandler] };
  const options = { store: 'own', totalCount: 2, deliver: false } as const;
  const harness = await MississippiHarness.create(Test.createTestingModule(metadata), options);
  await harness.send('a', payload);
  await harness.settled({ within: FOR_EVER });
  expect(harness.outcomes('a')).toEqual(['handled']);
  expect(await harness.state('a')).toBe(1);
  expect(harness.published()).toHaveLength(1);
  await harness.close();
});
