import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UsageError } from '../src/errors.js';
import { run } from '../src/run.js';
import { refusePasswords, withoutCredentials } from '../src/settings/secrets.js';
import { settingsOf, type CommonArguments } from '../src/settings/settings.js';
import { fakeTerminal } from './support/fake-terminal.js';

const NOTHING: CommonArguments = {
  url: undefined,
  urlFile: undefined,
  prefix: undefined,
  instance: undefined,
  storeUrl: undefined,
  storeUrlFile: undefined,
  schema: undefined,
  managementUrl: undefined,
  managementUrlFile: undefined,
  config: undefined,
  timeout: undefined,
  json: false,
};

const settings = (given: Partial<CommonArguments>, env: Record<string, string> = {}) =>
  settingsOf({ ...NOTHING, ...given }, fakeTerminal(env).terminal);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mississippi-settings-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const at = path.join(folder, name);
  await writeFile(at, text);
  return at;
}

describe('where the broker is', () => {
  test('is said by arguments, else by the environment, else by a file', async () => {
    const config = await file('c.json', '{"url":["amqp://c1","amqp://c2"],"prefix":"c_","instance":"c"}');
    const env = { MISSISSIPPI_URL: 'amqp://e1,amqp://e2', MISSISSIPPI_PREFIX: 'e_' };
    expect(await settings({ config })).toMatchObject({ urls: ['amqp://c1', 'amqp://c2'], prefix: 'c_', instance: 'c' });
    expect(await settings({ config }, env)).toMatchObject({
      urls: ['amqp://e1', 'amqp://e2'],
      prefix: 'e_',
      instance: 'c',
    });
    const urlFile = await file('url', '# a comment\n\namqp://f1\namqp://f2\n');
    expect(await settings({ config, urlFile, prefix: 'a_' }, env)).toMatchObject({
      urls: ['amqp://f1', 'amqp://f2'],
      prefix: 'a_',
    });
    expect(await settings({ config, urlFile, url: 'amqp://a' }, env)).toMatchObject({ urls: ['amqp://a'] });
  });

  test('has the prefix of the instance, where none is said', async () => {
    const env = { MISSISSIPPI_URL: 'amqp://e' };
    expect(await settings({}, env)).toMatchObject({ prefix: 'mississippi_', instance: 'default', timeout: 5_000 });
    expect(await settings({ instance: 'or ders', timeout: 2 }, env)).toMatchObject({
      prefix: 'mississippi_or%20ders_',
      timeout: 2_000,
    });
  });

  test('gets the password of the environment, where the url names a user and none', async () => {
    const env = { MISSISSIPPI_PASSWORD: 's3/cr@t' };
    expect((await settings({ url: 'amqp://ops@h/v' }, env)).urls).toEqual(['amqp://ops:s3%2Fcr%40t@h/v']);
    expect((await settings({}, { ...env, MISSISSIPPI_URL: 'amqp://a:b@h' })).urls).toEqual(['amqp://a:b@h']);
    expect((await settings({ url: 'amqp://h' }, env)).urls).toEqual(['amqp://h']);
  });

  test('is a usage error where nobody says it, or a file cannot be used, without its text', async () => {
    await expect(settings({})).rejects.toThrow(UsageError);
    await expect(settings({ urlFile: path.join(folder, 'none') })).rejects.toThrow(/cannot be read \(ENOENT\)/);
    const broken = await file('broken.json', '{"url":"amqp://u:s3cret@h"');
    await expect(settings({ config: broken })).rejects.toThrow(expect.not.stringContaining('s3cret'));
    const unknown = await file('unknown.json', '{"pasword":"s3cret"}');
    await expect(settings({ config: unknown })).rejects.toThrow(/'pasword', which is not known/);
  });
});

test.each([
  ['--url', 'amqp://u:p@h'],
  ['--url=amqps://u:p@h/v'],
  ['--store-url', 'postgres://u:p%20@h/d'],
  ['--management-url=http://u:p@h:15672'],
  ['--storeUrl=postgres://u:p@h/d'],
  ['--managementUrl', 'http://u:p@h:15672'],
  ['--url', 'amqp://h1,amqp://u:p@h2'],
  ['--store-url', 'postgres://u@h/d?password=u:p'],
  ['--store-url=postgres://h/d?user=u&sslpassword=u:p'],
])('a password among the arguments is refused and not shown: %s', async (...args) => {
  expect(() => refusePasswords(['status', ...args])).toThrow(UsageError);
  const { terminal, written } = fakeTerminal();
  expect(await run(['status', ...args], terminal)).toBe(2);
  expect(written.out + written.err).not.toMatch(/u:p/);
});

test.each([
  ['--url', 'amqp://h'],
  ['--url', 'amqp://ops@h/v'],
  ['--store-url', 'postgres://u@h/d?sslmode=require&password='],
  ['publish', 'k', '"amqp://u:p@h"'],
])('what is no password of a url of ours is not refused: %s %s', (...args) => {
  expect(() => refusePasswords(args)).not.toThrow();
});

test('what stands before the @ of a url is cut out of any text', () => {
  expect(withoutCredentials('at amqp://u:p@ss@h:1/v and postgres://a@b, mail me@x.org')).toBe(
    'at amqp://h:1/v and postgres://b, mail me@x.org',
  );
  expect(withoutCredentials("'postgres://a@h/d?password=p%20w&x=1' and postgres://h?x&sslpassword=pw")).toBe(
    "'postgres://h/d?password=…&x=1' and postgres://h?x&sslpassword=…",
  );
});

test.each(['amqp://u:s3cret@h', 'postgres://h/d?password=s3cret'])(
  'a url where none belongs is told without its password: %s',
  async (url) => {
    for (const args of [['status', url], [url], ['keys', `--${url}`]]) {
      const { terminal, written } = fakeTerminal();
      expect(await run(args, terminal)).toBe(2);
      expect(written.out + written.err).not.toContain('s3cret');
    }
  },
);
