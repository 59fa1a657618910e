import { readFile } from 'node:fs/promises';
import { UsageError } from '../errors.js';

/**
 * The urls in a file, one a line; a line that begins with # is none.
 * @throws {UsageError}
 */
export async function readUrls(file: string): Promise<string[]> {
  const lines = (await readText(file)).split(/\r?\n/).map((line) => line.trim());
  const urls = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (urls.length === 0)
    throw new UsageError(`The file ${file} has no url: a line such as amqp://user:password@host was expected.`);
  return urls;
}

/** @throws {UsageError} */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`, {
      cause: error,
    });
  }
}
