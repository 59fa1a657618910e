import { keyDigest } from '@mississippi/core';
import { findKey } from '../src/commands/find-key.js';
import type { Session } from '../src/session/session.js';

const sessionOf = (...keys: string[]): Session =>
  ({ operator: { keys: async () => ({ keys: keys.map((key) => ({ key, text: keyDigest(key) })) }) } }) as never;

test('a key is found by the digest that the log shows', async () => {
  const key = keyDigest('b');
  expect(await findKey(sessionOf('a', 'b'), { key, keyType: 'text' })).toBe('b');
});

test('a digest that nobody has is explained', async () => {
  const key = keyDigest('c');
  await expect(findKey(sessionOf('a', 'b'), { key, keyType: 'text' })).rejects.toThrow(
    `No key with the digest ${key} is in memory or parked. It looks like a digest, as the app shows keys with logKeys: hashed: by that, only a key is found ` +
      'that is in memory or parked. Type the key itself.',
  );
});
