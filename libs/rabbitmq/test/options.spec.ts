import { inspect } from 'node:util';
import { InvalidOptionsError } from '@mississippi/core';
import { rabbitmq, type RabbitMqOptions } from '@mississippi/rabbitmq';
import { settingsIn, settingsOf } from '../src/options/settings.js';

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
const HOST = 'the name or address of a host, without a port, was expected';
const START = 'rabbitmq.startTimeout: a number of milliseconds, at least 0 (Infinity is allowed), was expected';
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
    [{ urls: ['amqp://user:12/3@host'] }, URLS],
    [{ urls: ['amqp://user:12#3@host'] }, URLS],
    [{ urls: ['amqp://user:12?3@host'] }, URLS],
    [
      { urls: ['amqp://one', 'amqp://two?heartbeat=5&verify=none'] },
      `rabbitmq.urls: no parameter 'verify' is known in a url (known: heartbeat, connection_timeout, frameMax, frame_max, channelMax, channel_max, locale): leave it out, or use the options of rabbitmq()`,
    ],
    [
      { urls: ['amqp://host?heartbeat=0'] },
      `rabbitmq.urls: 'heartbeat' in a url was expected to be a whole number from 1 to 600`,
    ],
    [
      { urls: ['amqp://host?frame_max=4096'] },
      `rabbitmq.urls: 'frame_max' in a url was expected to be a whole number from 16384 to 4294967295`,
    ],
    [{ urls: ['amqp://host?heartbeat=5&heartbeat=6'] }, `rabbitmq.urls: 'heartbeat' once in a url was expected`],
    [{ host: '' }, `rabbitmq.host: ${HOST}, not ''`],
    [{ host: 'user@host' }, `rabbitmq.host: ${HOST}, not 'user@host'`],
    ['amqp://user:p@ss@host', `rabbitmq: an object was expected, not 'amqp:…@host'`],
    [['amqp://user:p@ss@host'], `rabbitmq: an object was expected, not [ 'amqp://…@host' ]`],
    [{ host: 'user:p@ss@host' }, `rabbitmq.host: ${HOST}, not 'user:…@host'`],
    [{ host: `amqp://user:${'s'.repeat(100)}@host` }, `rabbitmq.host: ${HOST}, not 'amqp:…@host'`],
    [{ queues: 'amqp://user:p@ss@host' }, `rabbitmq.queues: an object was expected, not 'amqp:…@host'`],
    [{ host: 'localhost:5672' }, `rabbitmq.host: ${HOST}, not 'localhost:5672'`],
    [{ host: '[::1]:5672' }, `rabbitmq.host: ${HOST}, not '[::1]:5672'`],
    [{ host: '[host]' }, `rabbitmq.host: ${HOST}, not '[host]'`],
    [{ host: null }, `rabbitmq.host: ${HOST}, not null`],
    [{ virtualHost: '' }, `rabbitmq.virtualHost: a string of at least one character was expected, not ''`],
    [{ startTimeout: -1 }, START + ', not -1'],
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
    [{ queues: { kind: 1 } }, 'rabbitmq.queues.kind: there is no such option (known: declare, prefix, totalCount, type)'],
    [{ application: '' }, `rabbitmq.application: 1 to 100 characters without ' were expected, not ''`],
    [{ application: 'a\nb' }, `rabbitmq.application: 1 to 100 characters without ' were expected, not 'a\\nb'`],
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
    { urls: ['amqp://user:s3cret@host?verify=none'] },
    { urls: ['amqp://user:s3c?ret@host'] },
    { host: 'host:5672', password: 's3cret' },
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

/** What the client is given to connect with. */
const addressesOf = (options: RabbitMqOptions): unknown[] => settingsOf(options).endpoints.map((one) => one.address());

describe('settings', () => {
  test('name the queues of an instance with a name after it, and the application after instance and handler', () => {
    const named = settingsIn(settingsOf({}), 'orders 1', 'Orders');
    expect(named).toMatchObject({ prefix: 'mississippi_orders%201_', application: 'orders 1/Orders' });
    const given = settingsOf({ application: 'shop', queues: { prefix: 'shop_' } });
    expect(settingsIn(given, 'orders', 'Orders')).toMatchObject({ prefix: 'shop_', application: 'shop' });
  });

  test('have a default for everything', () => {
    expect(settingsIn(settingsOf({}), 'default', 'Handler')).toMatchObject({
      application: 'default/Handler',
      endpoints: [{ name: 'amqp://localhost:5672', heartbeat: 10_000, connectTimeout: 10_000 }],
      startTimeout: 0,
      prefix: 'mississippi_',
      totalCount: 128,
      quorum: false,
      declares: true,
      exchange: '',
      prefetch: 300,
    });
    expect(addressesOf({})).toEqual([
      {
        protocol: 'amqp',
        hostname: 'localhost',
        port: 5672,
        username: 'guest',
        password: 'guest',
        vhost: '%2F',
        heartbeat: 10,
      },
    ]);
  });

  test('are made of the parts of an address, whatever they hold', () => {
    for (const host of ['::1', '[::1]']) {
      const options = { host, username: 'ü@', password: 'p/w:?#ü', virtualHost: '..', tls: {} };
      expect(addressesOf(options)).toEqual([
        {
          protocol: 'amqps',
          hostname: '::1',
          port: 5671,
          username: 'ü@',
          password: 'p/w:?#ü',
          vhost: '..',
          heartbeat: 10,
        },
      ]);
      expect(settingsOf(options).endpoints[0]!.name).toBe('amqps://[::1]:5671');
    }
  });

  const urls: readonly (readonly [url: string, parts: object])[] = [
    ['amqp://host', { hostname: 'host', port: 5672, username: 'guest', password: 'guest', vhost: '%2F' }],
    ['AMQPS://host/ \n', { protocol: 'amqps', hostname: 'host', port: 5671, vhost: '%2F' }],
    ['amqp://%C3%BC:p%C3%A4ss@host', { username: 'ü', password: 'päss' }],
    ['amqp://ü:päss@host', { username: 'ü', password: 'päss' }],
    ['amqp://user@host', { username: 'user', password: '' }],
    ['amqp://[::1]:7/v', { hostname: '::1', port: 7, vhost: 'v' }],
    ['amqp://host/..', { vhost: '..' }],
    ['amqp://host/%2e%2e', { vhost: '..' }],
    ['amqp://host/a/../b', { vhost: 'a%2F..%2Fb' }],
    ['amqp://host/a%2Fb?heartbeat=30', { vhost: 'a%2Fb', heartbeat: 30 }],
    ['amqp://host?frameMax=65536&channel_max=100&locale=de_DE', { frameMax: 65_536, channelMax: 100, locale: 'de_DE' }],
  ];
  for (const [url, parts] of urls) {
    test(`are read from the url ${JSON.stringify(url)}`, () => {
      expect(addressesOf({ urls: [url] })).toEqual([expect.objectContaining(parts)]);
    });
  }

  test('of one url go before those of all', () => {
    const { endpoints } = settingsOf({
      urls: ['amqp://one?heartbeat=30&connection_timeout=7', 'amqp://two'],
      heartbeat: 5,
      connectTimeout: 9,
    });
    expect(endpoints.map(({ heartbeat, connectTimeout }) => [heartbeat, connectTimeout])).toEqual([
      [30_000, 7],
      [5_000, 9],
    ]);
  });

  test('name each url without its credentials', () => {
    const { endpoints } = settingsOf({ urls: ['amqp://a:s3cret@one/v', 'amqps://b:s3cret@two:7'] });
    expect(endpoints.map(({ name }) => name)).toEqual(['amqp://one:5672', 'amqps://two:7']);
  });
});
