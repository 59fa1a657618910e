import type { Argv } from 'yargs';
import { KEY_TYPES, type KeyType } from '../keys/key-argument.js';
import { numberOption } from './number-option.js';

/** Which key is meant. */
export interface KeyArguments {
  readonly key: string;
  readonly keyType: KeyType;
}

export function withKey<T>(argv: Argv<T>): Argv<T & KeyArguments> {
  return argv
    .positional('key', {
      type: 'string',
      demandOption: true,
      describe: 'the sharding key, as text unless --key-type says otherwise',
    })
    .option('key-type', {
      choices: KEY_TYPES,
      default: 'text',
      describe: 'how the key is written: text, integer, json (a list), hex (bytes), etf (any term, in hex)',
    }) as unknown as Argv<T & KeyArguments>;
}

export function withYes<T>(argv: Argv<T>): Argv<T & { yes: boolean }> {
  return argv.option('yes', {
    alias: 'y',
    type: 'boolean',
    default: false,
    describe: 'do it without asking',
  });
}

export function withLimit<T>(argv: Argv<T>, normal: number): Argv<T & { limit: number }> {
  const limit = numberOption('limit', 'how many at most', { default: normal });
  return argv.option('limit', limit) as unknown as Argv<T & { limit: number }>;
}

export function withShard<T>(argv: Argv<T>): Argv<T & { shard: number | undefined }> {
  const shard = numberOption('shard', 'only those of one shard', { least: 0 });
  return argv.option('shard', shard) as unknown as Argv<T & { shard: number | undefined }>;
}
