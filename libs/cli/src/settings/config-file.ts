import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { readText } from './url-file.js';

/** What may stand in the file. */
export interface Config {
  readonly url?: string | readonly string[];
  readonly prefix?: string;
  readonly instance?: string;
  readonly storeUrl?: string;
  readonly schema?: string;
  readonly managementUrl?: string;
}

const NAME = '.mississippirc.json';
const KNOWN = ['url', 'prefix', 'instance', 'storeUrl', 'schema', 'managementUrl'];

/**
 * The file that was named, or the one in this folder, where there is one.
 * @throws {UsageError} that shows nothing of its content but names
 */
export async function readConfig(named: string | undefined, folder: string): Promise<Config> {
  const file = named ?? join(folder, NAME);
  if (named === undefined && !existsSync(file)) return {};
  const config = parsed(await readText(file), file);
  for (const [name, value] of Object.entries(config)) {
    if (!KNOWN.includes(name))
      throw new UsageError(`${file} has '${name}', which is not known (known: ${KNOWN.join(', ')}).`);
    const isText = typeof value === 'string' || (name === 'url' && isTexts(value));
    if (!isText) throw new UsageError(`'${name}' in ${file} has to be a text.`);
  }
  return config;
}

function parsed(text: string, file: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // The parser's own error shows the text.
  }
  throw new UsageError(`${file} is no JSON object, such as { "url": "amqp://user:password@host" }.`);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
