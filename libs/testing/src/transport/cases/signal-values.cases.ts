import assert from 'node:assert/strict';
import { ForbiddenException, HttpException } from '@nestjs/common';
import { RemoteSignalError, reply, SignalEncodeError, SignalTooLargeError, type PayloadCodec } from '@mississippi/core';
import { conformanceCase, type ConformanceCase } from '../conformance-case.js';
import { withSignalRoutes } from '../signal-apps.js';

/** What JSON carries, by kind. */
const CARRIED: Readonly<Record<string, readonly unknown[]>> = {
  text: ['', 'plain', 'Ærøskøbing 🜁', '\u0000\u2028\ufeff\ufffd', '\ud800 alone', 'x'.repeat(300_000)],
  numbers: [0, -1, 1.1, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER],
  'true, false, null and nothing': [true, false, null, undefined],
  lists: [[], [1, 'a', null, [true, []]]],
  objects: [{}, { a: 1, b: { c: [{ d: null }] }, '': 'no name', 'with space': 1 }],
  'objects with the names of built-in members': [
    JSON.parse(
      '{"__proto__":{"admin":true},"constructor":1,"hasOwnProperty":2,"then":3,"error":{"a":1},"kind":"error"}',
    ),
  ],
};

class Money {
  constructor(readonly cents: number) {}
}

/** What JSON damages, by kind, with the place that the error names. */
const REFUSED: Readonly<Record<string, readonly [unknown, string][]>> = {
  'a Date': [
    [new Date(0), ''],
    [{ createdAt: new Date(0) }, '.createdAt'],
  ],
  'a Map or a Set': [
    [[new Map([[1, 2]])], '[0]'],
    [{ a: [new Set()] }, '.a[0]'],
  ],
  'an instance of a class': [
    [{ price: new Money(5) }, '.price'],
    [Buffer.of(1), ''],
    [new Error('no'), ''],
  ],
  'a bigint': [[{ 'the sum': 7n }, '["the sum"]']],
  'a number that is none': [
    [NaN, ''],
    [[0, -Infinity], '[1]'],
  ],
  'a function or a symbol': [
    [{ next: { go: () => 1 } }, '.next.go'],
    [[Symbol('s')], '[0]'],
  ],
  'a list with gaps': [
    [[1, undefined], '[1]'],
    // oxlint-disable-next-line no-sparse-arrays
    [[1, , 3], '[1]'],
  ],
};

/** What signals and answers may be, and what comes of them, is the same for a key of this process and for one elsewhere. */
export const signalValueCases: readonly ConformanceCase[] = [
  ...Object.entries(CARRIED).map(([kind, values]) =>
    conformanceCase(`a signal and its answer may be ${kind}, wherever the key lives`, {}, (stage) => {
      const seen: unknown[] = [];
      const echo = (signal: unknown): unknown => {
        seen.push(signal);
        return signal;
      };
      return withSignalRoutes(stage, echo, async (routes) => {
        for (const { where, call } of routes) {
          for (const value of values) {
            const answer = await call(value);
            assert.deepStrictEqual(seen.pop(), value, `the signal ${where}`);
            assert.deepStrictEqual(answer, value, `the answer ${where}`);
          }
        }
      });
    }),
  ),

  ...Object.entries(REFUSED).map(([kind, values]) =>
    conformanceCase(`a signal or an answer with ${kind} is refused, wherever the key lives`, {}, (stage) => {
      let calls = 0;
      const answerer = (signal: unknown): unknown => {
        calls++;
        return values[signal as number]![0];
      };
      return withSignalRoutes(stage, answerer, async (routes) => {
        for (const { where, call } of routes) {
          for (const [index, [value, path]] of values.entries()) {
            calls = 0;
            assertRefused(await errorOf(call(value)), `signal${path}`, where);
            assert.equal(calls, 0, 'a signal that is refused reaches no handler');
            assertRefused(await errorOf(call(index)), `answer${path}`, where);
          }
        }
      });
    }),
  ),

  conformanceCase("a signal's name reaches the handler with it, wherever the key lives", {}, (stage) =>
    withSignalRoutes(
      stage,
      (signal, _state, name) => ({ signal, name }),
      async (routes) => {
        for (const { where, call } of routes) {
          for (const name of ['status', 'stätus 🜁', 'x'.repeat(255), undefined]) {
            assert.deepStrictEqual(
              await call('s', name),
              name === undefined ? { signal: 's' } : { signal: 's', name },
              where,
            );
          }
          assert.deepStrictEqual(await call(undefined, 'status'), { name: 'status' }, where);
        }
      },
    ),
  ),

  conformanceCase('an answer that is refused leaves the new state, wherever the key lives', {}, (stage) =>
    withSignalRoutes(
      stage,
      (signal, state) => (signal === 'ask' ? state : reply(new Date(0), signal)),
      async (routes) => {
        for (const { where, call } of routes) {
          assertRefused(await errorOf(call('the new state')), 'answer', where);
          assert.equal(await call('ask'), 'the new state');
        }
      },
    ),
  ),

  conformanceCase('a caller and a handler share no object, wherever the key lives', {}, (stage) =>
    withSignalRoutes(
      stage,
      (signal, state) => (signal === 'ask' ? state : reply(signal, signal)),
      async (routes) => {
        for (const { call } of routes) {
          const signal = { list: [1] };
          const answering = call(signal);
          signal.list.push(2); // Too late to be seen.
          const answer = (await answering) as typeof signal;
          answer.list.push(3);
          assert.deepStrictEqual(await call('ask'), { list: [1] });
        }
      },
    ),
  ),

  conformanceCase('a signal or an answer that is too large fails alone, wherever the key lives', {}, (stage) =>
    withSignalRoutes(
      stage,
      (signal) => (signal === 'large' ? LARGE : signal),
      async (routes) => {
        for (const { where, call } of routes) {
          const small = Promise.all([1, 2, 3].map((number) => call(number)));
          for (const signal of [LARGE, 'large']) {
            const error = await errorOf(call(signal));
            assert.ok(
              error instanceof SignalTooLargeError,
              `SignalTooLargeError was expected, not ${String(error)} (${where})`,
            );
          }
          assert.deepStrictEqual(await small, [1, 2, 3]);
          assert.equal(await call('small'), 'small');
        }
      },
    ),
  ),

  conformanceCase('what a handler throws arrives as the same error, wherever the key lives', {}, (stage) =>
    withSignalRoutes(
      stage,
      (signal) => {
        throw THROWN[signal as number];
      },
      async (routes) => {
        for (const { where, call } of routes) {
          const ranged = await errorOf(call(0));
          assert.ok(ranged instanceof RemoteSignalError && !(ranged instanceof RangeError), where);
          assert.deepEqual([ranged.name, ranged.message, ranged.code], ['RangeError', 'out of range', 'E_RANGE']);
          const forbidden = await errorOf(call(1));
          assert.ok(forbidden instanceof ForbiddenException && !(forbidden instanceof QuotaExceeded), where);
          assert.deepEqual([forbidden.name, forbidden.message], ['QuotaExceeded', 'all is used']);
          assert.deepEqual(
            [forbidden.getStatus(), forbidden.getResponse()],
            [403, { message: 'all is used', used: 7 }],
          );
          const odd = await errorOf(call(2));
          assert.ok(odd instanceof HttpException && odd.getStatus() === 499, where);
          for (const index of [3, 4]) {
            const error = await errorOf(call(index));
            assert.ok(error instanceof RemoteSignalError && error.code === 'remote_signal', where);
          }
        }
      },
    ),
  ),

  conformanceCase('a codec carries what it can, wherever the key lives', {}, (stage) =>
    withSignalRoutes(
      stage,
      (signal) => signal,
      async (routes) => {
        for (const { where, call } of routes) {
          for (const value of [new Date(1), 7n, undefined]) assert.deepStrictEqual(await call(value), value);
          const error = await errorOf(call('text'));
          assert.ok(
            error instanceof SignalEncodeError,
            `SignalEncodeError was expected, not ${String(error)} (${where})`,
          );
        }
      },
      DATES_AND_BIGINTS,
    ),
  ),
];

class QuotaExceeded extends ForbiddenException {}

const DATES_AND_BIGINTS: PayloadCodec = {
  encode(value) {
    if (value instanceof Date) return Buffer.from(`date ${value.getTime()}`);
    if (typeof value === 'bigint') return Buffer.from(`bigint ${value}`);
    throw new TypeError('a date or a bigint was expected');
  },
  decode(body) {
    const [type, text] = Buffer.from(body).toString().split(' ');
    return type === 'date' ? new Date(Number(text)) : BigInt(text!);
  },
};

/** More than a signal may be. */
const LARGE = 'x'.repeat(16_000_000);

const THROWN: readonly unknown[] = [
  Object.assign(new RangeError('out of range'), { code: 'E_RANGE' }),
  new QuotaExceeded({ message: 'all is used', used: 7 }),
  new HttpException('closed by the client', 499),
  Symbol('no error'),
  Object.defineProperty(new Error('x'), 'message', {
    get: () => {
      throw new Error('hands off');
    },
  }),
];

async function errorOf(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    (value) => assert.fail(`an error was expected, not the answer ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

function assertRefused(error: unknown, path: string, where: string): void {
  assert.ok(error instanceof SignalEncodeError, `SignalEncodeError was expected, not ${String(error)} (${where})`);
  assert.equal(error.code, 'signal_unencodable');
  assert.equal(error.path, path);
  assert.ok(error.message.includes(`: ${path} is `), error.message);
}
