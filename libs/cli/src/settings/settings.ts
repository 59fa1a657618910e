import { UsageError } from '../errors.js';
import type { Terminal } from '../output/terminal.js';
import { readConfig, type Config } from './config-file.js';
import { readUrls } from './url-file.js';

/** What every command takes. */
export interface CommonArguments {
  readonly url: string | undefined;
  readonly urlFile: string | undefined;
  readonly prefix: string | undefined;
  readonly instance: string | undefined;
  readonly storeUrl: string | undefined;
  readonly storeUrlFile: string | undefined;
  readonly schema: string | undefined;
  readonly managementUrl: string | undefined;
  readonly managementUrlFile: string | undefined;
  readonly config: string | undefined;
  readonly timeout: number | undefined;
  readonly json: boolean;
}

/** Where things are, and what they are called. */
export interface Settings {
  /** Of the broker, with password. */
  readonly urls: readonly string[];
  readonly prefix: string;
  /** Name of the app's instance. */
  readonly instance: string;
  /** With password. */
  readonly storeUrl: string | undefined;
  readonly schema: string | undefined;
  /** With password. */
  readonly managementUrl: string | undefined;
  /** How long an owner may take to answer. Milliseconds. */
  readonly timeout: number;
}

const DEFAULT_INSTANCE = 'default';
const DEFAULT_TIMEOUT = 5_000;

/**
 * From the arguments, else the environment, else a file.
 * @throws {UsageError}
 */
export async function settingsOf(given: CommonArguments, { env, folder }: Terminal): Promise<Settings> {
  const config = await readConfig(given.config, folder);
  const instance = given.instance ?? env['MISSISSIPPI_INSTANCE'] ?? config.instance ?? DEFAULT_INSTANCE;
  const urls = await brokerUrls(given, env, config);
  if (urls.length === 0) throw noBroker();
  const [storeUrl] = await oneUrl(given.storeUrl, given.storeUrlFile, env['MISSISSIPPI_STORE_URL'] ?? config.storeUrl);
  const [managementUrl] = await oneUrl(
    given.managementUrl,
    given.managementUrlFile,
    env['MISSISSIPPI_MANAGEMENT_URL'] ?? config.managementUrl,
  );
  return {
    urls,
    prefix: given.prefix ?? env['MISSISSIPPI_PREFIX'] ?? config.prefix ?? prefixOf(instance),
    instance,
    storeUrl,
    schema: given.schema ?? env['MISSISSIPPI_SCHEMA'] ?? config.schema,
    managementUrl: managementUrl && withPassword(managementUrl, env['MISSISSIPPI_MANAGEMENT_PASSWORD']),
    timeout: given.timeout === undefined ? DEFAULT_TIMEOUT : given.timeout * 1_000,
  };
}

async function brokerUrls(given: CommonArguments, env: Terminal['env'], config: Config): Promise<readonly string[]> {
  const told = await oneUrl(given.url, given.urlFile, env['MISSISSIPPI_URL'] ?? config.url?.toString());
  return told.map((url) => withPassword(url, env['MISSISSIPPI_PASSWORD']));
}

/** One or several, with commas between them. */
async function oneUrl(url: string | undefined, file: string | undefined, other: string | undefined): Promise<string[]> {
  if (url !== undefined) return split(url);
  return file === undefined ? split(other ?? '') : readUrls(file);
}

function split(text: string): string[] {
  return text
    .split(/,(?=[a-z]+:\/\/)|\s+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A url that names a user and no password gets that of the environment. */
function withPassword(text: string, password: string | undefined): string {
  if (password === undefined || password === '' || !URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.username === '' || url.password !== '') return text;
  url.password = encodeURIComponent(password);
  return url.href;
}

/** As `rabbitmq()` names the queues of an instance. */
function prefixOf(instance: string): string {
  return instance === DEFAULT_INSTANCE ? 'mississippi_' : `mississippi_${encodeURIComponent(instance)}_`;
}

function noBroker(): UsageError {
  return new UsageError(
    'No broker was named. Put its url into MISSISSIPPI_URL (amqp://user:password@host:5672/vhost, several with commas between them), into a file ' +
      '(--url-file FILE), or into .mississippirc.json ({ "url": "…" }).',
  );
}
