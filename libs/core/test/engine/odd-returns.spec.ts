import { delay, EMPTY, of, throwError } from 'rxjs';
import {
  ack,
  discard,
  InvalidMessageError,
  MississippiError,
  NOTE_HEADERS,
  reply,
  type DataUpdaterHandler,
  type DirectMessage,
} from '../../src/index.js';
import { backoff } from '../../src/engine/base/backoff.js';
import { settled } from '../support/fake-clock.js';
import { startEngine } from '../support/test-engine.js';

describe('an Observable that a callback returns', () => {
  test('has its last value for a result: an outcome of a message', async () => {
    const states: unknown[] = [];
    const { send, of: eventsOf } = await startEngine({
      init: () => of(1, 2),
      handleMessage: (_payload, state) => {
        states.push(state);
        return of(discard('an earlier value is nothing'), ack(3)) as never;
      },
    });
    await send('k', 'a', 'b');
    expect(states).toEqual([2, 3]);
    expect(eventsOf('handled')).toHaveLength(2);
    expect(eventsOf('discarded')).toEqual([]);
  });

  test('and the answer of a signal, also when it comes later', async () => {
    const { service } = await startEngine({
      handleMessage: () => undefined,
      handleSignal: () => of('first', reply('last', 1)).pipe(delay(1)) as never,
    });
    await expect(service.handleSignal('k', 'what?')).resolves.toBe('last');
  });

  test('acks where it has none, and is a failed attempt where it errs', async () => {
    const { send, of: eventsOf } = await startEngine({
      handleMessage: (payload) => (payload === 'empty' ? EMPTY : throwError(() => new Error('broken'))) as never,
    });
    await send('k', 'empty');
    await send('l', 'errs');
    expect(eventsOf('handled')).toMatchObject([{ key: 'k' }]);
    expect(eventsOf('retried')).toMatchObject([{ key: 'l', error: new Error('broken') }]);
  });
});

test.each([undefined, null])('a handler that rejects with %s has failed like any other', async (nothing) => {
  const {
    send,
    transport,
    of: eventsOf,
    clock,
  } = await startEngine({
    // oxlint-disable-next-line prefer-promise-reject-errors
    handleMessage: () => Promise.reject(nothing),
  });
  await send('k', 'a');
  await clock.advance(60_000);
  expect(eventsOf('retried')).toHaveLength(4);
  const [letter] = transport.broker.deadLetters;
  expect(letter!.headers[NOTE_HEADERS.error]).toBe(
    `Error: the handler threw ${String(nothing)}: throw an Error that says why`,
  );
});

test('a backoff that begins with nothing stays nothing, however often it failed', () => {
  const waits = [1, 2, 1_024, 1_025, 100_000].map((n) => backoff(n, { initial: 0, max: 10_000 }, () => 1));
  expect(waits).toEqual([0, 0, 0, 0, 0]);
  expect(backoff(5_000, { initial: 1, max: 10_000 }, () => 1)).toBe(10_000);
});

test.each<[string, unknown, RegExp]>([
  ['nothing', null, /^handleMessage takes a key and \{ payload, … \}, not null\.$/],
  ['a string', 'payload', /not payload\.$/],
  ['an id that is no string', { payload: 1, messageId: 7 }, /^The messageId must be a string/],
  ['a timestamp with a fraction', { payload: 1, timestamp: 1.5 }, /^The timestamp must be/],
  ['headers that are a list', { payload: 1, headers: ['a'] }, /^The headers must be an object/],
])('a direct message that is none is refused: %s', async (_, message, text) => {
  const seen: unknown[] = [];
  const { service } = await startEngine({ handleMessage: (payload) => void seen.push(payload) });
  const error: unknown = await service.handleMessage('k', message as DirectMessage).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InvalidMessageError);
  expect((error as Error).message).toMatch(text);
  await settled();
  expect(seen).toEqual([]);
});

describe('a value that cannot be looked at', () => {
  const revoked = (): object => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  };
  const untouchable = (): object =>
    new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new TypeError('no prototype');
        },
      },
    );
  const lazyCause = (): Error =>
    Object.defineProperty(new Error('lazy'), 'cause', {
      get() {
        throw new Error('no cause');
      },
    });
  const values: [string, () => unknown][] = [
    ['a revoked proxy', revoked],
    ['a proxy that tells no prototype', untouchable],
    ['an error whose cause throws', lazyCause],
  ];

  test.each(
    values.flatMap(([name, make]) =>
      (['init', 'handleMessage', 'handleSignal'] as const).map((callback) => [name, callback, make] as const),
    ),
  )('%s, thrown by %s, is a failure, and the key goes on', async (_, callback, make) => {
    let calls = 0;
    const fails = (): unknown => {
      if (calls++ === 0) throw make();
      return undefined;
    };
    const handler: Record<string, () => unknown> = { handleMessage: () => undefined, handleSignal: () => 'answer' };
    handler[callback] = fails;
    for (const later of [false, true]) {
      calls = 0;
      const own = { ...handler, [callback]: later ? () => Promise.resolve().then(fails) : fails };
      const { service, engine, clock } = await startEngine(own as unknown as DataUpdaterHandler, {
        failurePolicy: { attempts: 1 },
      });
      const first =
        callback === 'handleSignal' ? service.handleSignal('k', 's') : service.handleMessage('k', { payload: 'a' });
      await expect(first).rejects.toBeInstanceOf(MississippiError);
      await clock.advance(1_000);
      expect((await service.handleMessage('k', { payload: 'b' })).kind).toBe('ack');
      await engine.stop();
    }
  });

  test('returned by handleMessage, is no outcome', async () => {
    let returned = false;
    const { service } = await startEngine(
      {
        handleMessage: () => {
          if (returned) return;
          returned = true;
          return untouchable() as never;
        },
      },
      { failurePolicy: { attempts: 1 } },
    );
    await expect(service.handleMessage('k', { payload: 'a' })).rejects.toBeInstanceOf(MississippiError);
    expect((await service.handleMessage('k', { payload: 'b' })).kind).toBe('ack');
  });
});
