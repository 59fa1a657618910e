import { ErlangAtom, ErlangFloat, ErlangTuple } from '@mississippi/terms';
import {
  encodeShardingKey,
  memory,
  MessageHandler,
  MississippiModule,
  shardOf,
  type CallbackContext,
  type DataUpdaterHandler,
  type DataUpdaterService,
  type KeyKind,
  type MississippiOptions,
  type ShardingKey,
} from '@mississippi/core';
import { closeApps, next, producerOf, serviceOf, startApp, startError } from './support/app.js';

afterEach(closeApps);

const seen: unknown[] = [];
beforeEach(() => void seen.splice(0));

@MessageHandler()
class Keeping implements DataUpdaterHandler<unknown, unknown, ShardingKey> {
  handleMessage(_payload: unknown, _state: unknown, { key }: CallbackContext<ShardingKey>): void {
    seen.push(key);
  }
  handleSignal(): string {
    return 'answer';
  }
}

async function start(keys?: MississippiOptions['keys']) {
  const transport = memory({ totalCount: 8 });
  const options = { transport, ...(keys === undefined ? {} : { keys }) };
  const app = await startApp({ imports: [MississippiModule.forRoot(options)], providers: [Keeping] });
  return { transport, service: serviceOf(app), producer: producerOf(app) };
}

type Call = (service: DataUpdaterService, key: ShardingKey) => unknown;

/** Every call that takes a key. */
const CALLS: [string, Call][] = [
  ['getDataUpdater', (service, key) => service.getDataUpdater(key)],
  ['handleMessage', (service, key) => service.handleMessage(key, { payload: 1 })],
  ['handleSignal', (service, key) => service.handleSignal(key, 1)],
  ['park', (service, key) => service.park(key)],
  ['resume', (service, key) => service.resume(key)],
  ['drop', (service, key) => service.drop(key)],
  ['shardOf', async (service, key) => service.shardOf(key)],
];

const MISSING = [undefined, null, ''] as unknown as ShardingKey[];

describe.each(CALLS)('%s', (_name, call) => {
  test.each(MISSING)('refuses a key that is missing, as %p, whatever kinds are taken', async (key) => {
    for (const keys of [undefined, 'any'] as const) {
      const { service } = await start(keys);
      await expect(call(service, key)).rejects.toMatchObject({
        code: 'missing_sharding_key',
        message: expect.stringContaining('with what the message is about, such as a device id') as unknown,
      });
      expect([...service.liveKeys()]).toEqual([]);
    }
  });

  test('refuses a key of a kind that is not taken', async () => {
    const { service } = await start();
    await expect(call(service, 1.5)).rejects.toMatchObject({ code: 'invalid_sharding_key' });
  });
});

const FOREIGN: [string, ShardingKey][] = [
  ['a float', 1.5],
  ['a float of an integer', new ErlangFloat(1)],
  ['an integer that is not safe', 2 ** 53],
  ['a boolean', true],
  ['an atom', new ErlangAtom('nil')],
  ['a tuple', new ErlangTuple(['k'])],
  ['an object', { id: 7 }],
  ['a Map', new Map([['id', 7]])],
  ['an empty list', []],
  ['no bytes', new Uint8Array(0)],
  ['a list with a float', ['tenant', 1.5]],
  ['a list with null', ['tenant', null]],
  ['a list with an empty string', ['tenant', '']],
  ['a list with an empty list', ['tenant', []]],
];

const USUAL: [KeyKind, ShardingKey][] = [
  ['string', 'k'],
  ['integer', -42],
  ['integer', 2n ** 64n],
  ['bytes', Uint8Array.of(255)],
  ['list', ['tenant', 7, Uint8Array.of(255), ['a', 1n]]],
];

describe('by default', () => {
  test.each(USUAL)('publish takes a key of the kind %s', async (_kind, shardingKey) => {
    const { producer } = await start();
    await expect(producer.publish('x', { shardingKey })).resolves.toBeUndefined();
  });

  test.each(FOREIGN)('publish refuses %s, says what is taken and names the option', async (_name, shardingKey) => {
    const { producer, transport } = await start();
    await expect(producer.publish('x', { shardingKey })).rejects.toMatchObject({
      code: 'invalid_sharding_key',
      message: expect.stringMatching(
        /is none of the kinds that are taken \(strings, integers, bytes, lists of strings, integers and bytes\), or empty\. .*keys: 'any'\.$/,
      ) as unknown,
    });
    expect(transport.broker.length).toBe(0);
  });
});

describe("with keys: 'any'", () => {
  test.each([...USUAL, ...FOREIGN])('publish takes %s, and it arrives', async (_name, shardingKey) => {
    const { producer, service } = await start('any');
    const handled = next(service, 'handled');
    await producer.publish('x', { shardingKey });
    await handled;
    expect(Buffer.from(encodeShardingKey(seen[0] as ShardingKey))).toEqual(Buffer.from(encodeShardingKey(shardingKey)));
  });
});

describe('with one kind', () => {
  test.each(USUAL)('%s takes it and no other', async (kind, key) => {
    const { service } = await start(kind);
    await expect(service.handleSignal(key, 1)).resolves.toBe('answer');
    for (const [other, foreign] of USUAL.filter(([other]) => other !== kind)) {
      await expect(service.handleSignal(foreign, other)).rejects.toMatchObject({ code: 'invalid_sharding_key' });
    }
  });
});

test('the kinds that @MessageHandler gives go before those of forRoot', async () => {
  @MessageHandler({ keys: ['string', 'list'] })
  class Strict extends Keeping {}
  const app = await startApp({ imports: [MississippiModule.forRoot({ keys: 'any' })], providers: [Strict] });
  await expect(producerOf(app).publish('x', { shardingKey: 42 })).rejects.toThrow(
    '42 is none of the kinds that are taken (strings, lists of strings, integers and bytes)',
  );
  await expect(producerOf(app).publish('x', { shardingKey: ['k', 42] })).resolves.toBeUndefined();
});

test.each([[[]], ['strings'], [null], [['string', 'number']]])('keys: %j stops the app', async (keys) => {
  const error = await startError({
    imports: [MississippiModule.forRoot({ keys: keys as never })],
    providers: [Keeping],
  });
  expect(error.message).toContain(
    "Invalid option forRoot.keys: 'string' or 'integer' or 'bytes' or 'list' or 'any', or a list of these, was expected",
  );
});

test.each(FOREIGN)('a message whose key is %s is handled, whatever callers may give', async (_name, key) => {
  const { transport, service } = await start('string');
  const handled = next(service, 'handled');
  const message = { key: encodeShardingKey(key), body: Buffer.from('1'), messageId: 'm', timestamp: undefined };
  transport.broker.inject(shardOf(key, { totalCount: 8 }), message);
  await handled;
  expect(seen).toHaveLength(1);
});

test('shardOf of the service knows how many shards there are', async () => {
  const { service } = await start();
  for (const key of ['user_1', 42, ['tenant', 7]]) expect(service.shardOf(key)).toBe(shardOf(key, { totalCount: 8 }));
  expect((await service.getDataUpdater('user_1')).shard).toBe(service.shardOf('user_1'));
});
