import { InvalidShardingKeyError } from '../errors/index.js';
import { encodeShardingKey, type ShardingKey } from './sharding-key.js';

/**
 * A kind of sharding keys that callers may give:
 *
 * - `'string'`, `'integer'` (a safe integer or a bigint), `'bytes'` (at least one);
 * - `'list'`: an array of strings, integers, bytes or such arrays, for keys of several parts; at least one, none of them empty;
 * - `'any'`: every term of the wire format, such as floats, atoms, tuples, maps and what is empty.
 * @publicApi
 */
export type KeyKind = 'string' | 'integer' | 'bytes' | 'list' | 'any';

/** What the kinds are called in errors. */
const KINDS: Record<KeyKind, string> = {
  string: 'strings',
  integer: 'integers',
  bytes: 'bytes',
  list: 'lists of strings, integers and bytes',
  any: 'any term',
};

export const KEY_KINDS = Object.keys(KINDS) as KeyKind[];

export const DEFAULT_KEY_KINDS: readonly KeyKind[] = ['string', 'integer', 'bytes', 'list'];

/** Encodes the keys that callers give, and refuses the kinds that they may not. What is delivered does not come here. */
export class KeyEncoder {
  private readonly any: boolean;

  constructor(
    private readonly kinds: readonly KeyKind[],
    /** A key for errors. */
    private readonly keyText: (key: Uint8Array) => string,
  ) {
    this.any = kinds.includes('any');
  }

  /**
   * @throws {MissingShardingKeyError} for `undefined`, `null` and `''`
   * @throws {InvalidShardingKeyError} when it is no term, too large, or of a kind that is not taken
   */
  encode(key: ShardingKey): Uint8Array {
    const bytes = encodeShardingKey(key);
    if (this.any) return bytes;
    const kind = kindOf(key);
    if (kind === undefined || !this.kinds.includes(kind)) throw this.refusal(key, bytes);
    return bytes;
  }

  private refusal(key: ShardingKey, bytes: Uint8Array): InvalidShardingKeyError {
    const taken = this.kinds.map((kind) => KINDS[kind]).join(', ');
    const hint =
      typeof key === 'number' && this.kinds.includes('integer')
        ? 'An integer beyond Number.MAX_SAFE_INTEGER is given as a bigint; a float is allowed'
        : 'Another kind is allowed';
    return new InvalidShardingKeyError(
      `${this.keyText(bytes)} is none of the kinds that are taken (${taken}), or empty. ${hint} with the option keys of forRoot or @MessageHandler, as keys: 'any'.`,
    );
  }
}

/** The kind of a key, which is a term; `undefined` where only `'any'` takes it. */
function kindOf(key: unknown): KeyKind | undefined {
  switch (typeof key) {
    case 'string':
      return key === '' ? undefined : 'string';
    case 'bigint':
      return 'integer';
    case 'number':
      return Number.isSafeInteger(key) ? 'integer' : undefined;
    default:
      if (key instanceof Uint8Array) return key.length === 0 ? undefined : 'bytes';
      return isList(key) ? 'list' : undefined;
  }
}

/** A part that is missing would put everything of the other parts on one key. */
function isList(key: unknown): boolean {
  return Array.isArray(key) && key.length > 0 && key.every((part) => kindOf(part) !== undefined);
}
