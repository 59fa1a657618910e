import { encodeShardingKey, type KeyKind } from '@mississippi/core';
import { Hints } from '../src/commands/hints.js';
import { UsageError } from '../src/errors.js';
import { parseKey, writeKey, type KeyType } from '../src/keys/key-argument.js';
import { shellWord } from '../src/output/shell-word.js';
import { execFileSync } from 'node:child_process';

const KEYS: readonly [kind: KeyKind, key: never][] = (
  [
    ['string', 'ORD'],
    ['string', '-1'],
    ['string', '007'],
    ['integer', 7],
    ['integer', -(2n ** 70n)],
    ['bytes', Uint8Array.of(0, 255, 27)],
    ['list', ['eu', 7, ['x']]],
    ['list', ['eu', Uint8Array.of(1)]],
    ['any', 1.5],
    ['any', true],
    ['any', { a: 1 }],
    ['any', []],
  ] as const
).map(([kind, key]) => [kind, key as never]);

test.each(KEYS)('a key of the kind %s is written so that it can be read back: %p', (_, key) => {
  const { value, type } = writeKey(key);
  expect(Buffer.from(encodeShardingKey(parseKey(value, type)))).toEqual(Buffer.from(encodeShardingKey(key)));
});

test.each<[string, KeyType]>([
  ['x', 'integer'],
  ['1.5', 'integer'],
  ['abc', 'hex'],
  ['[1', 'json'],
  ['00', 'etf'],
])('what is no key of its type is refused: %s as %s', (text, type) => {
  expect(() => parseKey(text, type)).toThrow(UsageError);
});

test.each(['plain', 'with space', "it's", '$(rm -rf /)', 'a\nb\u001b[31m', "'\u202e\\", '東京', '`id`', '!x', '*'])(
  'a shell takes as one word, and no more: %j',
  (text) => {
    const word = shellWord(text);
    expect(word).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
    expect(execFileSync('bash', ['-c', `printf %s ${word}`]).toString()).toBe(text);
  },
);

test('what to type next has the options that this command line had, and the key as it is typed', () => {
  const hints = new Hints({
    url: undefined,
    urlFile: '/etc/my broker',
    prefix: 'flights_',
    instance: undefined,
    config: undefined,
  });
  expect(hints.ofKey('keys drop', { key: 'O R D', text: '"O R D"' }, ' --yes')).toBe(
    "mississippi keys drop 'O R D' --yes --url-file '/etc/my broker' --prefix flights_",
  );
  expect(hints.ofKey('keys show', { key: 7, text: '7' })).toMatch(/^mississippi keys show 7 --key-type integer /);
  expect(hints.ofKey('keys show', { key: -7, text: '-7' })).toMatch(/^mississippi keys show '-7' --key-type integer /);
  expect(hints.ofKey('keys show', { key: '-x', text: '"-x"' })).toMatch(
    /^mississippi keys show '"-x"' --key-type json /,
  );
});

test('a key that the log shows as a digest only is named by that', () => {
  const hints = new Hints({
    url: undefined,
    urlFile: undefined,
    prefix: undefined,
    instance: undefined,
    config: undefined,
  });
  const text = 'sha256:0123456789abcdef';
  expect(hints.ofKey('keys show', { key: 'secret', text })).toBe(`mississippi keys show ${text}`);
});
