import { BadRequestException } from '@nestjs/common';
import {
  DataUpdaterStartError,
  MississippiError,
  PayloadInvalidError,
  RemoteSignalError,
  ShardNotOwnedError,
  SignalDecodeError,
  SignalNotHandledError,
  SignalTimeoutError,
  SignalTooLargeError,
} from '../../src/index.js';
import { asCallersSee } from '../../src/signals/carried-error.js';
import {
  headSize,
  pack,
  packError,
  packSignal,
  unpackAnswer,
  unpackSignal,
} from '../../src/signals/signal-envelope.js';

const crossed = (error: unknown): unknown => {
  try {
    return unpackAnswer(packError(error));
  } catch (thrown) {
    return thrown;
  }
};

test.each<[string, MississippiError, object]>([
  ['a failed start', new DataUpdaterStartError('"k"', new Error('no database')), {}],
  ['a missing handleSignal', new SignalNotHandledError('Orders'), {}],
  ['a time-out', new SignalTimeoutError('"k"', 5, true), { started: true }],
  [
    'a refusal by a pipe',
    new PayloadInvalidError('Order', ['a must be', 'b must be']),
    { problems: ['a must be', 'b must be'] },
  ],
  ['a lost shard', new ShardNotOwnedError(3, '"k"'), { shard: 3 }],
  ['an answer that is too large', new SignalTooLargeError('answer', 9, 8), { size: 9, limit: 8 }],
])('what the library says crosses as the class that says it: %s', (_, error, fields) => {
  const other = crossed(error) as MississippiError;
  expect(other).toBeInstanceOf(error.constructor);
  expect(other).toBeInstanceOf(Error);
  expect(other).toMatchObject({ name: error.name, message: error.message, code: error.code, ...fields });
  expect(other.stack).toContain('envelope.spec');
});

test.each([
  ['an error', Object.assign(new RangeError('far out'), { code: 'E_RANGE' })],
  ['a string', 'a word'],
  ['an HTTP exception', new BadRequestException(['a', 'b'])],
  ['one of the library, which spoke of something else', new SignalTimeoutError('"other"', 5, true)],
])('what a handler throws is the same to a caller here as to one elsewhere: %s', (_, thrown) => {
  const here = asCallersSee(thrown);
  const elsewhere = crossed(asCallersSee(thrown)) as Error;
  expect(elsewhere.constructor).toBe(here.constructor);
  for (const name of ['name', 'message', 'code', 'status', 'response', 'remoteName']) {
    expect(Reflect.get(elsewhere, name)).toEqual(Reflect.get(here, name));
  }
  expect(here.cause).toBe(thrown);
  expect(elsewhere.cause).toBeUndefined();
});

test('an error of a class that this version does not know crosses by its code', () => {
  class NewerError extends MississippiError {
    readonly code = 'newer';
  }
  const error = crossed(new NewerError('not yet'));
  expect(error).toBeInstanceOf(RemoteSignalError);
  expect(error).toMatchObject({ name: 'NewerError', message: 'not yet', code: 'newer' });
});

test('a long message is cut', () => {
  expect(asCallersSee(new Error('x'.repeat(1_000_000))).message).toHaveLength(10_000);
});

test('no value and no bytes are two things', () => {
  expect(unpackSignal(pack(undefined))).toEqual({ value: undefined });
  expect(unpackSignal(pack(new Uint8Array(0))).value).toHaveLength(0);
  expect(unpackAnswer(pack(Uint8Array.of(0, 2)))).toEqual(Buffer.of(0, 2));
});

test.each([[[]], [[7, 1]], [[0, 0]], [[2, 1]]])('bytes that are none of ours are refused: %j', (bytes) => {
  expect(() => unpackSignal(Uint8Array.from(bytes))).toThrow(SignalDecodeError);
  expect(() => unpackAnswer(Uint8Array.from(bytes))).toThrow(SignalDecodeError);
});

test('a signal without a name is written as before there were names', () => {
  expect(packSignal({ value: undefined })).toEqual(Uint8Array.of(0));
  expect(Buffer.from(packSignal({ value: Uint8Array.of(7) }))).toEqual(Buffer.of(1, 7));
});

test.each(['s', 'stätus', 'x'.repeat(255)])('a name travels in front of what would be there without it: %s', (name) => {
  for (const value of [undefined, Buffer.of(1, 2)]) {
    const bytes = packSignal({ name, value });
    expect(unpackSignal(bytes)).toEqual({ name, value });
    expect(bytes).toHaveLength(packSignal({ value }).length + headSize({ name }));
    expect(() => unpackAnswer(bytes)).toThrow(SignalDecodeError);
  }
});

test.each([
  [[3]],
  [[3, 0, 0]],
  [[3, 2, 97]],
  [[3, 1, 97]],
  [[3, 1, 0xff, 0]],
  [[3, 1, 97, 2, 1]],
  [[3, 1, 97, 3, 1, 97, 0]],
])('a name that is cut short or no text is refused: %j', (bytes) => {
  expect(() => unpackSignal(Uint8Array.from(bytes))).toThrow(SignalDecodeError);
});

test('what traces need travels in front of all, and a signal without it is written as ever', () => {
  const carried = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  for (const name of [undefined, 'status']) {
    for (const value of [undefined, Buffer.of(1, 2)]) {
      const bytes = packSignal({ name, carried, value });
      expect(unpackSignal(bytes)).toEqual({ ...(name === undefined ? {} : { name }), value, carried });
      const without = Buffer.from(packSignal({ name, value }));
      expect(Buffer.from(bytes).subarray(-without.length)).toEqual(without);
      expect(bytes).toHaveLength(pack(value).length + headSize({ name, carried }));
      expect(() => unpackAnswer(bytes)).toThrow(SignalDecodeError);
    }
  }
});

test('a signal goes without what traces need where that is too much to carry', () => {
  const carried = { baggage: 'x'.repeat(70_000) };
  expect(packSignal({ carried, value: undefined })).toEqual(Uint8Array.of(0));
  expect(headSize({ carried })).toBe(0);
});

test.each([[[5]], [[5, 0]], [[5, 0, 2, 123, 125]], [[5, 0, 2, 123, 125, 2, 1]]])(
  'a signal that is cut short behind what traces need is refused: %j',
  (bytes) => {
    expect(() => unpackSignal(Uint8Array.from(bytes))).toThrow(SignalDecodeError);
  },
);

test.each(['[]', '{', '7'])('a signal is read whatever stands where traces have theirs: %s', (text) => {
  const bytes = Buffer.concat([Buffer.of(5, 0, text.length), Buffer.from(text), Buffer.of(1, 7)]);
  expect(unpackSignal(bytes)).toEqual({ value: Buffer.of(7) });
});
