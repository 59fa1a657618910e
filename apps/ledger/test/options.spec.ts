import { parseOptions } from '../src/options.js';
import { USAGE, UsageError } from '../src/usage.js';

describe('The options', () => {
  it('hammer an embedded ledger where nothing is said', () => {
    expect(parseOptions([])).toEqual({
      transfers: 2_000,
      accounts: 20,
      kills: 3,
      clients: 32,
      rabbitmq: undefined,
      postgres: undefined,
      name: 'ledger',
      help: false,
    });
  });

  it('take servers by url, and servers of their own without', () => {
    const given = parseOptions(['--rabbitmq=amqp://localhost', '--postgres=postgres://me@localhost/db']);
    expect(given).toMatchObject({ rabbitmq: 'amqp://localhost', postgres: 'postgres://me@localhost/db' });
    expect(parseOptions(['--rabbitmq', '--postgres'])).toMatchObject({ rabbitmq: '', postgres: '' });
  });

  it.each([
    [['--kills', 'often'], "--kills must be a whole number from 0 on, not 'often'."],
    [['--accounts', '1'], "--accounts must be a whole number from 2 on, not '1'."],
    [['--rabbitmq=localhost'], '--rabbitmq must be a url such as amqp://host.'],
    [['--postgres=localhost'], '--postgres must be a url such as postgres://user:password@host/database.'],
    [['--accounts=2', '--transfers=1000'], '--accounts must be at least 5 for 1000 transfers'],
    [['--name', 'My Ledger'], "--name must be 1 to 40 small letters, digits or _, not 'My Ledger'."],
    [['--what'], "Unknown option '--what'."],
    [['--postgres', 'postgres://me@localhost/db'], 'Give urls after a =, as in --postgres=<url>.'],
  ])('explain %j', (args, problem) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(problem);
  });

  it('are told within 80 columns', () => {
    expect(Math.max(...USAGE.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
  });
});
