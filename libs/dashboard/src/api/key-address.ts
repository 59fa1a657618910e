import { decodeShardingKey, encodeShardingKey, type ShardingKey } from '@mississippi/core';
import { Refusal } from '../http/refusal.js';
import type { KeyAddress } from '../wire.js';

/** Characters. What is longer comes in no url. */
const LONGEST = 8_192;

export function addressOf(key: ShardingKey): KeyAddress {
  return Buffer.from(encodeShardingKey(key)).toString('base64url');
}

/** @throws {Refusal} */
export function keyAt(address: unknown): ShardingKey {
  if (typeof address !== 'string' || address === '' || address.length > LONGEST) throw NO_KEY;
  try {
    const key = decodeShardingKey(Buffer.from(address, 'base64url'));
    encodeShardingKey(key);
    return key;
  } catch {
    throw NO_KEY;
  }
}

const NO_KEY = new Refusal(400, 'key_invalid', 'This is the address of no key.');
