import { ForbiddenException, HttpException, NotFoundException } from '@nestjs/common';
import {
  HandlerTimeoutError,
  RemoteSignalError,
  reply,
  SignalDecodeError,
  SignalEncodeError,
  type PayloadCodec,
} from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const errorOf = (answer: Promise<unknown>): Promise<unknown> => answer.catch((error: unknown) => error);

describe('a signal is a copy', () => {
  test('made when the service is called: what the caller changes while it waits is not seen', async () => {
    const gates = new Gates();
    const seen: unknown[] = [];
    const { service, send } = await startEngine({
      handleMessage: () => gates.at('a'),
      handleSignal: (signal) => void seen.push(signal),
    });
    await send('k', 'a');
    const signal = { amount: 1 };
    const answer = service.handleSignal('k', signal);
    signal.amount = 2;
    gates.open('a');
    await answer;
    expect(seen).toEqual([{ amount: 1 }]);
    expect(seen[0]).not.toBe(signal);
  });

  test('decoded in the turn of its key, so that each handler has its own', async () => {
    const decoded: string[] = [];
    const gates = new Gates();
    const signals: PayloadCodec = {
      encode: (value) => Buffer.from(String(value)),
      decode: (body) => {
        decoded.push(Buffer.from(body).toString());
        return Buffer.from(body).toString();
      },
    };
    const { service } = await startEngine(
      { handleMessage: () => undefined, handleSignal: (signal) => gates.at(String(signal)) },
      { signals },
    );
    void service.handleSignal('k', 1);
    void service.handleSignal('k', 2);
    await settled();
    expect(decoded).toEqual(['1']);
    gates.open('1');
    await settled();
    expect(decoded).toEqual(['1', '2']);
  });
});

describe('an answer is a copy', () => {
  test('so that a caller cannot change the state through it', async () => {
    const { service } = await startEngine({
      init: () => ({ count: 1 }),
      handleMessage: () => undefined,
      handleSignal: (_, state) => state,
    });
    const answer = await service.handleSignal<{ count: number }>('k', 'what?');
    answer.count = 100;
    expect(await service.handleSignal('k', 'what?')).toEqual({ count: 1 });
  });

  test('made when the handler has answered: what it changes later is not seen', async () => {
    const answer = { count: 1 };
    const { service } = await startEngine({
      handleMessage: () => undefined,
      handleSignal: () => {
        queueMicrotask(() => (answer.count = 2));
        return answer;
      },
    });
    expect(await service.handleSignal('k', 's')).toEqual({ count: 1 });
    expect(answer.count).toBe(2);
  });
});

describe('what the codec does not carry', () => {
  test('is refused before anything is sent, by its path', async () => {
    const handler = new RecordingHandler();
    const { service } = await startEngine(handler);
    const error = await errorOf(service.handleSignal('k', { items: [{ at: new Date(0) }] }));
    expect(error).toBeInstanceOf(SignalEncodeError);
    expect(error).toMatchObject({ code: 'signal_unencodable', path: 'signal.items[0].at' });
    expect((error as Error).message).toBe(
      'The signal cannot be carried, so nothing was sent: signal.items[0].at is an instance of Date, which JSON does not give back alike. ' +
        'Use strings, finite numbers, booleans, null, lists and plain objects of them, or set the option signals to a codec that carries more.',
    );
    expect(handler.calls).toEqual([]);
  });

  test('rejects the caller as an answer, while the state and the data updater live on', async () => {
    const handler = new RecordingHandler<unknown>({
      init: () => 1,
      handleSignal: (signal, state) => (signal === 'ask' ? state : reply({ total: 7n }, 2)),
    });
    const { service, events } = await startEngine(handler);
    const error = await errorOf(service.handleSignal('k', 'set'));
    expect(error).toBeInstanceOf(SignalEncodeError);
    expect((error as Error).message).toMatch(
      /^The answer cannot be carried to its caller: answer\.total is a bigint, which/,
    );
    expect(await service.handleSignal('k', 'ask')).toBe(2);
    expect(handler.of('k')).toEqual(['init', 'signal set', 'signal ask']);
    expect(events.filter(({ type }) => type === 'signalled')).toHaveLength(2);
  });

  test.each([
    ['a promise', Promise.resolve(1)],
    ['an iterator', [1].values()],
    ['a list of a class of its own', new (class Rows extends Array<number> {})()],
    ['an object with toJSON', Object.create(Object.prototype, { toJSON: { value: () => 1 } })],
    ['an object with a symbol for a name', { [Symbol('s')]: 1 }],
    [
      'an object whose getter throws',
      Object.defineProperty({}, 'a', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
    ],
    ['what is nested deeper than JSON is written', nested(100_000)],
  ])('is refused too where it is %s', async (_, value) => {
    const { service } = await startEngine(new RecordingHandler());
    expect(await errorOf(service.handleSignal('k', value))).toBeInstanceOf(SignalEncodeError);
  });

  test('is a circle, which is named where it closes', async () => {
    const { service } = await startEngine(new RecordingHandler());
    const circle: Record<string, unknown> = { a: { b: [] } };
    (circle['a'] as { b: unknown[] }).b.push(circle);
    expect(await errorOf(service.handleSignal('k', circle))).toMatchObject({ path: 'signal.a.b[0]' });
    const twice = { x: 1 };
    await service.handleSignal('k', [twice, twice]);
  });

  test('is not what a codec of the app carries, nor a value that needs none', async () => {
    const seen: unknown[] = [];
    const signals: PayloadCodec = {
      encode: (value) => Buffer.from(`${(value as Date).getTime()}`),
      decode: (body) => new Date(Number(Buffer.from(body).toString())),
    };
    const { service } = await startEngine(
      { handleMessage: () => undefined, handleSignal: (signal) => (seen.push(signal), signal) },
      { signals },
    );
    expect(await service.handleSignal('k', new Date(5))).toEqual(new Date(5));
    expect(await service.handleSignal('k', undefined)).toBeUndefined();
    expect(seen).toEqual([new Date(5), undefined]);
  });

  test('is what a codec makes of it that writes no bytes', async () => {
    const signals = { encode: (value: unknown) => value, decode: (body: unknown) => body } as unknown as PayloadCodec;
    const { service } = await startEngine(new RecordingHandler(), { signals });
    await expect(service.handleSignal('k', { a: 1 })).rejects.toThrow(/must return a Uint8Array/);
  });
});

test('members that are undefined are left out, as in JSON, and -0 is 0', async () => {
  const { service } = await startEngine({ handleMessage: () => undefined, handleSignal: (signal) => signal });
  const answer = await service.handleSignal<object>('k', { a: undefined, b: 1, c: -0 });
  expect(Object.keys(answer)).toEqual(['b', 'c']);
  expect(answer).toHaveProperty('c', 0);
});

test('a member named __proto__ stays a member, and changes no prototype', async () => {
  const { service } = await startEngine({ handleMessage: () => undefined, handleSignal: (signal) => signal });
  const answer = await service.handleSignal<object>('k', JSON.parse('{"__proto__":{"admin":true}}'));
  expect(Object.getPrototypeOf(answer)).toBe(Object.prototype);
  expect(Object.hasOwn(answer, '__proto__')).toBe(true);
  expect(answer).not.toHaveProperty('admin');
});

describe('bytes that cannot be decoded', () => {
  /** Does not read what it writes. */
  const broken: PayloadCodec = {
    encode: () => Buffer.of(1),
    decode: () => {
      throw new Error('no idea');
    },
  };

  test('of a signal reject the caller; the handler sees nothing and keeps its state', async () => {
    const handler = new RecordingHandler();
    const { service } = await startEngine(handler, { signals: broken });
    const error = await errorOf(service.handleSignal('k', 's'));
    expect(error).toBeInstanceOf(SignalDecodeError);
    expect(error).toMatchObject({ code: 'signal_undecodable', message: expect.stringContaining('no idea') as string });
    expect(await service.handleSignal('k', undefined)).toBeUndefined();
    expect(handler.of('k')).toEqual(['init', 'signal undefined']);
  });

  test('of an answer reject the caller, and the new state stands', async () => {
    const states: unknown[] = [];
    const { service, send } = await startEngine(
      { handleMessage: (_, state) => void states.push(state), handleSignal: () => reply('x', 'new') },
      { signals: broken },
    );
    await expect(service.handleSignal('k', undefined)).rejects.toThrow(SignalDecodeError);
    await send('k', 'a');
    expect(states).toEqual(['new']);
  });
});

describe('what the handler throws', () => {
  class QuotaExceeded extends ForbiddenException {}

  const throwing = (thrown: unknown) =>
    startEngine({
      handleMessage: () => undefined,
      handleSignal: () => {
        throw thrown;
      },
    });

  test('arrives as name, message and code, with itself for a cause', async () => {
    const thrown = Object.assign(new RangeError('out of range'), { code: 'E_RANGE', more: 1 });
    const error = await errorOf((await throwing(thrown)).service.handleSignal('k', 's'));
    expect(error).toBeInstanceOf(RemoteSignalError);
    expect(error).not.toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ name: 'RangeError', message: 'out of range', code: 'E_RANGE', cause: thrown });
    expect(error).not.toHaveProperty('more');
  });

  test("of Nest's HTTP exceptions arrives as the nearest of Nest's own, so that filters see its status", async () => {
    const thrown = new QuotaExceeded({ message: 'all is used', used: 7 });
    const error = await errorOf((await throwing(thrown)).service.handleSignal('k', 's'));
    expect(error).toBeInstanceOf(ForbiddenException);
    expect(error).not.toBeInstanceOf(QuotaExceeded);
    expect(error).toMatchObject({ name: 'QuotaExceeded', message: 'all is used', cause: thrown });
    expect((error as HttpException).getResponse()).toEqual({ message: 'all is used', used: 7 });
    expect((error as HttpException).getStatus()).toBe(403);
  });

  test('of HTTP exceptions with a body that is no JSON has its message for one', async () => {
    const error = await errorOf(
      (await throwing(new NotFoundException({ message: 'gone', id: 7n }))).service.handleSignal('k', 's'),
    );
    expect(error).toBeInstanceOf(NotFoundException);
    expect((error as HttpException).getResponse()).toBe('gone');
  });

  test('may be an exception whose own methods throw', async () => {
    const thrown = new HttpException('x', 400);
    thrown.getStatus = () => {
      throw new Error('hands off');
    };
    const error = await errorOf((await throwing(thrown)).service.handleSignal('k', 's'));
    expect(error).toMatchObject({ code: 'remote_signal', cause: thrown });
  });

  test('is told apart from what the library says of the same signal', async () => {
    const thrown = new HandlerTimeoutError('handleSignal', 'of another key', 5);
    const error = await errorOf((await throwing(thrown)).service.handleSignal('k', 's'));
    expect(error).toBeInstanceOf(RemoteSignalError);
    expect(error).toMatchObject({ name: 'HandlerTimeoutError', code: 'handler_timeout' });
    const { service, clock } = await startEngine(
      { handleMessage: () => undefined, handleSignal: () => new Promise(() => undefined) },
      { handlerTimeout: 100 },
    );
    const abandoned = watch(service.handleSignal('k', 's'));
    await clock.advance(1_100);
    expect(abandoned.value).toBeInstanceOf(HandlerTimeoutError);
  });
});

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

describe('a codec of the app', () => {
  const later = (): never => Promise.reject(new Error('later')) as never;

  test.each<[string, Partial<PayloadCodec>, string]>([
    ['that encodes later', { encode: later }, 'signal_unencodable'],
    ['that decodes later', { decode: later }, 'signal_undecodable'],
  ])('%s is refused, and its rejection ends nothing', async (_, codec, code) => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listen);
    const bytes = {
      encode: (value: unknown) => Buffer.from(String(value)),
      decode: (body: Uint8Array) => `${body.length}`,
    };
    const { service } = await startEngine(
      { handleMessage: () => undefined, handleSignal: () => 'answer' },
      { signals: { ...bytes, ...codec } },
    );
    await expect(service.handleSignal('k', 'x')).rejects.toMatchObject({ code });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });

  test('may write into its bytes again', async () => {
    const shared = Buffer.alloc(8);
    const codec: PayloadCodec = {
      encode: (value) => shared.subarray(0, shared.write(String(value))),
      decode: (body) => Buffer.from(body).toString(),
    };
    const seen: unknown[] = [];
    const { service } = await startEngine(
      { handleMessage: () => undefined, handleSignal: (signal) => void seen.push(signal) },
      { signals: codec },
    );
    await Promise.all(['one', 'two', 'six'].map((signal) => service.handleSignal('k', signal)));
    expect(seen).toEqual(['one', 'two', 'six']);
  });

  test('may give what it got: it is a copy', async () => {
    const identity = { encode: (value: unknown) => value as Uint8Array, decode: (body: Uint8Array) => body };
    const state = Buffer.from('state');
    const { service } = await startEngine(
      { init: () => state, handleMessage: () => undefined, handleSignal: (_, own) => own },
      { signals: identity },
    );
    const answer = await service.handleSignal<Buffer>('k', Buffer.from('x'));
    answer.fill(0);
    expect(state.toString()).toBe('state');
  });
});
