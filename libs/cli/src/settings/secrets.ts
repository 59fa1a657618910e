import { UsageError } from '../errors.js';

/** A url with a password, of several too: before its host, or among its parameters, where a driver of PostgreSQL takes one. */
const WITH_PASSWORD = /[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*:[^/?#\s]*@|[?&](?:ssl)?password=[^&#\s]/i;
/** Whatever stands before the @ of a url, in the midst of a text. */
const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s@]*(?:@[^/?#\s@]*)*@/gi;
/** A password among its parameters. */
const PARAMETER = /([?&](?:ssl)?password=)[^&#\s'"]+/gi;

/** Options that take a url, in both spellings that the parser takes. */
const URL_OPTIONS = /^--(?:url|store-?url|management-?url)(?:=(.*))?$/is;

/**
 * Refuses a password among the arguments: whoever lists this machine's processes would see it, and the shell's history keeps it.
 * @throws {UsageError} that does not show it
 */
export function refusePasswords(args: readonly string[]): void {
  args.forEach((arg, index) => {
    const [option, value = args[index + 1] ?? ''] = URL_OPTIONS.exec(arg) ?? [];
    if (option === undefined || !WITH_PASSWORD.test(value)) return;
    const name = option.split('=')[0]!.replace(/(?<=[a-z])-?url$/i, '-url');
    throw new UsageError(
      `${name} with a password would show in the list of processes and in the shell's history: give the url in the environment (${VARIABLES[name]!}), ` +
        `in a file (${name}-file FILE), or without the password and that in ${PASSWORDS[name]!}.`,
    );
  });
}

const VARIABLES: Readonly<Record<string, string>> = {
  '--url': 'MISSISSIPPI_URL',
  '--store-url': 'MISSISSIPPI_STORE_URL',
  '--management-url': 'MISSISSIPPI_MANAGEMENT_URL',
};

const PASSWORDS: Readonly<Record<string, string>> = {
  '--url': 'MISSISSIPPI_PASSWORD',
  '--store-url': 'PGPASSWORD',
  '--management-url': 'MISSISSIPPI_MANAGEMENT_PASSWORD',
};

/** The text without what stands before the @ of any url in it, and without passwords among parameters. */
export function withoutCredentials(text: string): string {
  return text.replace(CREDENTIALS, '$1').replace(PARAMETER, '$1…');
}
