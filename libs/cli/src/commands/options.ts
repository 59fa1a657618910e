import type { Argv } from 'yargs';
import { KEY_TYPES, type KeyType } from '../keys/key-argument.js';

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
  return argv.option('limit', { type: 'number', default: normal, describe: 'how many at most' });
}
