import type { ShardingKey } from '@mississippi/core/transport';
import { writeKey } from '../keys/key-argument.js';
import { shellWord } from '../output/shell-word.js';
import type { CommonArguments } from '../settings/settings.js';

type Named = Pick<CommonArguments, 'url' | 'urlFile' | 'prefix' | 'instance' | 'config'>;

/** A key that can be named again: its value where the log shows keys plain, else its digest. */
export interface NamedKey {
  readonly key: ShardingKey;
  readonly text: string;
}

/** Command lines that can be typed next, with the options that this one was given. */
export class Hints {
  private readonly options: string;

  constructor({ url, urlFile, prefix, instance, config }: Named) {
    const given: [string, string | undefined][] = [
      ['--url', url],
      ['--url-file', urlFile],
      ['--config', config],
      ['--prefix', prefix],
      ['--instance', instance],
    ];
    this.options = given.map(([name, value]) => (value === undefined ? '' : ` ${name} ${shellWord(value)}`)).join('');
  }

  command(words: string): string {
    return `mississippi ${words}${this.options}`;
  }

  ofKey(words: string, key: NamedKey, more = ''): string {
    return this.command(`${words} ${keyWords(key)}${more}`);
  }
}

/** What to type for a key: itself, or its digest where the log shows no more. */
function keyWords({ key, text }: NamedKey): string {
  if (text.startsWith('sha256:')) return text;
  const { value, type } = writeKey(key);
  if (type !== 'text') return `${shellWord(value)} --key-type ${type}`;
  // What begins with a hyphen would be an option.
  return value.startsWith('-') ? `${shellWord(JSON.stringify(value))} --key-type json` : shellWord(value);
}
