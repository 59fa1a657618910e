import { inspect } from 'node:util';
import { InvalidOptionsError } from '@mississippi/core';
import { rabbitmq, type RabbitMqOptions } from '@mississippi/rabbitmq';
import { settingsOf } from '../src/options/settings.js';

/** What the options' error says. */
function problemsOf(options: unknown): readonly string[] {
  try {
    rabbitmq(options as RabbitMqOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionsError);
    return (error as InvalidOptionsError).problems.map(({ path, expected }) => `${path}: ${expected}`);
  }
  throw new Error(`these options were taken: ${inspect(options)}`);
}

const URLS =
  'rabbitmq.urls: a list of urls such as amqp://user:password@host:5672/vhost was expected (amqps:// for TLS; percent-encode special characters)';
const EITHER = 'rabbitmq.urls: either urls or host, port, username, password and virtualHost were expected';
const MILLISECONDS = 'a number of milliseconds, at least 1, was expected';

describe('wrong options are refused by their path, with what was expected', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [null, 'rabbitmq: an object was expected, not null'],
    ['amqp://localhost', `rabbitmq: an object was expected, not 'amqp://localhost'`],
    [{ urls: [] }, URLS],
    [{ urls: [5] }, URLS],
    [{ urls: ['amqp://'] }, URLS],
    [{ urls: ['amqp://host:99999'] }, URLS],
    [{ urls: ['amqp://user:p%@host'] }, URLS],
    [{ urls: ['amqp://one'], host: 'two' }, EITHER],
    [{ host: '' }, `rabbitmq.host: the name or address of a host was expected, not ''`],
    [{ host: 'user@host' }, `rabbitmq.host: the name or address of a host was expected, not 'user@host'`],
    [{ host: null }, 'rabbitmq.host: the name or address of a host was expected, not null'],
    [{ port: 0 }, 'rabbitmq.port: a whole number from 1 to 65535 was expected, not 0'],
    [{ port: '5672' }, `rabbitmq.port: a whole number from 1 to 65535 was expected, not '5672'`],
    [{ heartbeat: 1.5 }, 'rabbitmq.heartbeat: a whole number from 1 to 600 was expected, not 1.5'],
    [{ connectTimeout: NaN }, `rabbitmq.connectTimeout: ${MILLISECONDS}, not NaN`],
    [{ reconnect: { initial: -1 } }, `rabbitmq.reconnect.initial: ${MILLISECONDS}, not -1`],
    [{ reconnect: 5 }, 'rabbitmq.reconnect: an object was expected, not 5'],
    [{ queues: null }, 'rabbitmq.queues: an object was expected, not null'],
    [{ queues: { prefix: 'ä' } }, `rabbitmq.queues.prefix: up to 200 letters, digits, _ . : - were expected, not 'ä'`],
    [{ queues: { totalCount: 0 } }, 'rabbitmq.queues.totalCount: a whole number from 1 to 65536 was expected, not 0'],
    [{ queues: { type: 'stream' } }, `rabbitmq.queues.type: 'classic' or 'quorum' was expected, not 'stream'`],
    [{ queues: { kind: 1 } }, 'rabbitmq.queues.kind: there is no such option (known: prefix, totalCount, type)'],
    [{ exchange: 5 }, 'rabbitmq.exchange: a string was expected, not 5'],
    [{ prefetch: 70_000 }, 'rabbitmq.prefetch: a whole number from 1 to 65535 was expected, not 70000'],
    [{ publishBuffer: 0 }, 'rabbitmq.publishBuffer: a whole number, at least 1, was expected, not 0'],
    [{ maxMessageSize: 0.5 }, 'rabbitmq.maxMessageSize: a whole number, at least 1, was expected, not 0.5'],
    [{ deliveryTimeout: '1' }, `rabbitmq.deliveryTimeout: ${MILLISECONDS}, not '1'`],
    [{ tls: true }, 'rabbitmq.tls: an object was expected'],
    [{ tls: { ca: 5 } }, 'rabbitmq.tls.ca: PEM in a string or a Buffer, or a list of them, was expected'],
    [{ tls: { key: [] } }, 'rabbitmq.tls.key: PEM in a string or a Buffer was expected'],
    [{ tls: { rejectUnauthorized: 'no' } }, 'rabbitmq.tls.rejectUnauthorized: true or false was expected'],
    [{ tls: {}, urls: ['amqp://host'] }, 'rabbitmq.tls: urls that begin with amqps:// were expected beside it'],
  ];
  for (const [options, problem] of cases) {
    test(`such as ${inspect(options)}`, () => {
      expect(problemsOf(options)).toEqual([problem]);
    });
  }

  test('an unknown option is named with those that there are', () => {
    const [problem] = problemsOf({ url: 'amqp://localhost' });
    expect(problem).toMatch(/^rabbitmq\.url: there is no such option \(known: .*\burls\b.*\)$/);
  });

  test('all of them are named at once', () => {
    expect(problemsOf({ port: 0, queues: { totalCount: 0, type: 1 } })).toHaveLength(3);
  });
});

describe('no secret is shown', () => {
  const secrets: readonly unknown[] = [
    { urls: ['http://user:s3cret@host'] },
    { urls: 'amqp://user:s3cret@host' },
    { urls: ['amqp://user:s3cret%@host'] },
    { urls: ['amqp://user:s3c/ret@host', 's3cret'] },
    { urls: ['amqp://user:s3cret@host'], host: 'other' },
    { url: 'amqp://user:s3cret@host' },
    { password: ['s3cret'] },
    { password: 's3cret', port: 0 },
    { tls: 's3cret' },
    { tls: { passphrase: ['s3cret'] } },
    { tls: { passphrase: 's3cret' }, urls: ['amqp://user:s3cret@host'] },
  ];
  for (const [index, options] of secrets.entries()) {
    test(`by the error about wrong options ${index + 1}`, () => {
      expect(problemsOf(options).join('\n')).not.toContain('s3c');
    });
  }

  test('by the transport itself', () => {
    const transport = rabbitmq({ urls: ['amqp://user:s3cret@host'] });
    expect(inspect(transport, { depth: 10, showHidden: true })).not.toContain('s3cret');
    expect(JSON.stringify(transport)).not.toContain('s3cret');
  });
});

describe('settings', () => {
  test('have a default for everything', () => {
    expect(settingsOf({})).toMatchObject({
      endpoints: [{ url: 'amqp://guest:guest@localhost:5672/%2F?heartbeat=10', name: 'amqp://localhost:5672' }],
      heartbeat: 10_000,
      prefix: 'mississippi_',
      totalCount: 128,
      quorum: false,
      exchange: '',
      prefetch: 300,
    });
  });

  test('are made of the parts of an address, whatever they hold', () => {
    const { endpoints } = settingsOf({ host: '::1', username: 'ü@', password: 'p/w:?#', virtualHost: 'a/b', tls: {} });
    expect(endpoints).toEqual([
      {
        url: 'amqps://%C3%BC%40:p%2Fw%3A%3F%23@[::1]:5671/a%2Fb?heartbeat=10',
        name: 'amqps://[::1]:5671',
      },
    ]);
  });

  test('name each url without its credentials', () => {
    const { endpoints } = settingsOf({ urls: ['amqp://a:s3cret@one/v', 'amqps://b:s3cret@two:7'], heartbeat: 5 });
    expect(endpoints.map(({ name }) => name)).toEqual(['amqp://one', 'amqps://two:7']);
    expect(endpoints[0]!.url).toBe('amqp://a:s3cret@one/v?heartbeat=5');
  });
});
