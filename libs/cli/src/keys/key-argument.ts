import { decodeShardingKey, encodeShardingKey } from '@mississippi/core';
import type { ShardingKey } from '@mississippi/core/transport';
import { UsageError } from '../errors.js';

/** How a key may be written on a command line. `etf` is Erlang's external term format in hexadecimal digits, in which every key can be. */
export const KEY_TYPES = ['text', 'integer', 'json', 'hex', 'etf'] as const;

export type KeyType = (typeof KEY_TYPES)[number];

/** A key as it is written, and of which type it is then. */
export interface KeyArgument {
  readonly value: string;
  readonly type: KeyType;
}

const HEX = /^(?:[0-9a-f]{2})+$/i;

/** @throws {UsageError} */
export function parseKey(text: string, type: KeyType): ShardingKey {
  try {
    return READ[type](text);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`The key '${text}' is no ${type} (--key-type ${type}): ${(error as Error).message}`, {
      cause: error,
    });
  }
}

const READ: Readonly<Record<KeyType, (text: string) => ShardingKey>> = {
  text: (text) => text,
  integer: (text) => {
    if (!/^-?\d+$/.test(text)) throw new UsageError(`The key '${text}' is no integer (--key-type integer).`);
    const number = BigInt(text);
    return Number.isSafeInteger(Number(number)) ? Number(number) : number;
  },
  json: (text) => JSON.parse(text) as ShardingKey,
  hex: (text) => bytesOf(text),
  etf: (text) => decodeShardingKey(bytesOf(text)),
};

function bytesOf(text: string): Uint8Array {
  if (!HEX.test(text)) throw new UsageError(`The key '${text}' is not written in pairs of hexadecimal digits.`);
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** How a key is written so that {@link parseKey} gives it back. */
export function writeKey(key: ShardingKey): KeyArgument {
  if (typeof key === 'string') return { value: key, type: 'text' };
  if (typeof key === 'bigint' || (typeof key === 'number' && Number.isSafeInteger(key)))
    return { value: String(key), type: 'integer' };
  if (key instanceof Uint8Array) return { value: Buffer.from(key).toString('hex'), type: 'hex' };
  if (isPlain(key)) return { value: JSON.stringify(key), type: 'json' };
  return { value: Buffer.from(encodeShardingKey(key)).toString('hex'), type: 'etf' };
}

/** Lists of texts and integers, which JSON gives back alike. */
function isPlain(key: unknown): boolean {
  return typeof key === 'string' || Number.isSafeInteger(key) || (Array.isArray(key) && key.every(isPlain));
}
