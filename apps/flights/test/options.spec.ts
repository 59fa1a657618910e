import { parseOptions, USAGE, UsageError } from '../src/options.js';

describe('The command line', () => {
  it('takes free ports, memory, and goes on serving by default', () => {
    expect(parseOptions([])).toEqual({
      httpPort: 0,
      tcpPort: 0,
      store: undefined,
      rabbitmq: undefined,
      metricsPort: undefined,
      dashboard: false,
      trouble: undefined,
      exit: false,
      help: false,
    });
  });

  it('takes every option', () => {
    expect(
      parseOptions([
        '--http-port',
        '3000',
        '--tcp-port=4000',
        '--store',
        'postgres',
        '--metrics-port=9464',
        '--dashboard',
        '--exit',
        '--help',
      ]),
    ).toEqual({
      httpPort: 3000,
      tcpPort: 4000,
      store: { kind: 'own' },
      rabbitmq: undefined,
      metricsPort: 9464,
      dashboard: true,
      trouble: undefined,
      exit: true,
      help: true,
    });
  });

  it('plants trouble in queues', () => {
    const args = ['--rabbitmq', '--poison', 'ORD', '--hang=DFW', '--side-queue', '50'];
    expect(parseOptions(args).trouble).toEqual({ poison: 'ORD', hang: 'DFW', sideQueue: 50 });
    expect(parseOptions(['--rabbitmq', '--hang', 'ORD']).trouble).toEqual({
      poison: undefined,
      hang: 'ORD',
      sideQueue: undefined,
    });
    for (const wrong of [
      ['--poison', 'ORD'],
      ['--rabbitmq', '--poison', 'ord'],
      ['--rabbitmq', '--side-queue=0'],
    ])
      expect(() => parseOptions(wrong)).toThrow(UsageError);
  });

  it.each([
    [['--rabbitmq'], { url: undefined, prefix: 'flights_' }],
    [['--rabbitmq', '--exit'], { url: undefined, prefix: 'flights_' }],
    [['--rabbitmq=amqp://localhost'], { url: 'amqp://localhost', prefix: 'flights_' }],
    [
      ['--rabbitmq', 'amqps://me:secret@host:5671/vhost'],
      { url: 'amqps://me:secret@host:5671/vhost', prefix: 'flights_' },
    ],
    [['--prefix', 'mine.', '--rabbitmq'], { url: undefined, prefix: 'mine.' }],
  ])('takes a broker with or without its url: %j', (args, queues) => {
    expect(parseOptions(args).rabbitmq).toEqual(queues);
  });

  it.each([
    [['--store=postgres'], { kind: 'own' }],
    [
      ['--store', 'postgresql://me:secret@host:5432/db'],
      { kind: 'server', url: 'postgresql://me:secret@host:5432/db' },
    ],
    [['--store=data'], { kind: 'folder', folder: 'data' }],
    [['--store=./postgres'], { kind: 'folder', folder: './postgres' }],
    [['--store', 'C:\\data'], { kind: 'folder', folder: 'C:\\data' }],
  ])('takes a folder, a server or one of its own as the store: %j', (args, store) => {
    expect(parseOptions(args).store).toEqual(store);
  });

  it.each([
    [['--bogus'], "Unknown option '--bogus'."],
    [['serve'], "Unexpected argument 'serve'."],
    [['--exit=yes'], "Option '--exit' does not take an argument."],
    [['--http-port'], "Option '--http-port <value>' argument missing."],
    [['--http-port', '65536'], "--http-port must be a number from 0 to 65535, not '65536'."],
    [['--tcp-port', '80a'], "--tcp-port must be a number from 0 to 65535, not '80a'."],
    [['--tcp-port', ''], "--tcp-port must be a number from 0 to 65535, not ''."],
    [['--metrics-port', 'all'], "--metrics-port must be a number from 0 to 65535, not 'all'."],
    [['--metrics-port', '0'], '--metrics-port must be a number from 1 to 65535, not 0.'],
    [
      ['--store=mysql://me:secret@host/db'],
      "--store must be a folder, postgres, or postgres://user:password@host/database, not 'mysql://host/db'.",
    ],
    [['--store=postgres://'], '--store must be a folder, postgres, or'],
    [['--store='], '--store must be a folder, postgres, or'],
    [['--rabbitmq=localhost'], "--rabbitmq must be a url amqp://host or amqps://host, not 'localhost'."],
    [['--rabbitmq', 'localhost'], "Unexpected argument 'localhost'."],
    [['--prefix', 'mine'], '--prefix names queues: it needs --rabbitmq.'],
    [['--rabbitmq', '--prefix', 'a b'], "--prefix must be 1 to 200 letters, digits, _ . : or -, not 'a b'."],
  ])('answers %j with one clear line', (args, message) => {
    const parse = () => parseOptions(args);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^[^\n]+$/);
  });

  it('names every option in the usage', () => {
    const options = [
      '--http-port',
      '--tcp-port',
      '--store',
      '--rabbitmq',
      '--prefix',
      '--metrics-port',
      '--exit',
      '--help',
    ];
    for (const option of options) expect(USAGE).toContain(option);
  });
});
