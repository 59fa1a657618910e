import type { KeyReport } from '@mississippi/core';
import { keyDigest } from '@mississippi/core';
import type { ShardingKey } from '@mississippi/core/transport';
import { NotFoundError } from '../errors.js';
import { parseKey, type KeyType } from '../keys/key-argument.js';
import type { Session } from '../session/session.js';

/** How a key is shown where the log shows digests. */
const DIGEST = /^sha256:[0-9a-f]{16}$/;

/** What can be said of a digest that was not found. */
export const DIGEST_ALONE =
  'It looks like a digest, as the app shows keys with logKeys: hashed: by that, only a key is found that is in memory or parked. Type the key itself.';

export function isDigest(key: string, keyType: KeyType): boolean {
  return keyType === 'text' && DIGEST.test(key);
}

/**
 * The key that was typed. A digest, as `logKeys: 'hashed'` shows keys, is looked for among the keys that are in memory or parked.
 * @throws {UsageError}
 * @throws {NotFoundError} when no key has the digest
 */
export async function findKey(
  session: Session,
  { key, keyType }: { key: string; keyType: KeyType },
): Promise<ShardingKey> {
  if (!isDigest(key, keyType)) return parseKey(key, keyType);
  const { keys } = await session.operator.keys({ limit: Number.MAX_SAFE_INTEGER });
  const found = keys.find((one) => one.text === key || keyDigest(one.key) === key);
  if (found === undefined)
    throw new NotFoundError(`No key with the digest ${key} is in memory or parked. ${DIGEST_ALONE}`);
  return found.key;
}

/** @throws {NotFoundError} when nothing of the key is in memory or parked */
export async function reportOfKey(session: Session, key: ShardingKey, typed: string): Promise<KeyReport> {
  const report = await session.operator.key(key);
  if (report === undefined) throw noSuchKey(typed);
  return report;
}

export function noSuchKey(typed: string): NotFoundError {
  return new NotFoundError(
    `Nothing of the key ${typed} is in memory or parked: it is not stuck. Its messages, if there are some, wait in the broker behind those of other keys; ` +
      `or the key is written otherwise (--key-type).`,
  );
}
