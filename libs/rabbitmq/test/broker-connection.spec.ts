import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { inspect } from 'node:util';
import { FakeClock, settled } from '../../core/test/support/fake-clock.js';
import { BrokerConnection } from '../src/connection/broker-connection.js';
import { checkOptions } from '../src/options/check-options.js';
import type { RabbitMqOptions } from '../src/options/rabbitmq.options.js';
import { settingsIn, settingsOf } from '../src/options/settings.js';
import { RabbitMqSetupError, RabbitMqUnreachableError } from '../src/errors/rabbitmq.errors.js';
import { closeFrame, FakeBroker, server, type Offer } from './support/fake-broker.js';

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function brokerWith(offer?: Offer): Promise<FakeBroker> {
  const broker = await FakeBroker.start(offer);
  ends.push(() => broker.stop());
  return broker;
}

interface SetUp {
  readonly connection: BrokerConnection;
  readonly clock: FakeClock;
  readonly lines: string[];
}

function connectionTo(urls: string[], options: RabbitMqOptions = {}): SetUp {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const settings = settingsIn(settingsOf(checkOptions({ urls, ...options })), 'default');
  const connection = new BrokerConnection(settings, 'tests', { log, warn: log, error: log }, clock);
  ends.push(() => connection.close());
  return { connection, clock, lines };
}

/** What the start rejects with. No view of it shows the password. */
async function refusal(urls: string[], options?: RabbitMqOptions): Promise<Error> {
  const error = await connectionTo(urls, options)
    .connection.start()
    .then(
      () => new Error('it connected'),
      (reason: unknown) => reason as Error,
    );
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('s3cret');
  return error;
}

async function freePort(): Promise<number> {
  const one = await server(() => undefined);
  one.stop();
  return one.port;
}

/** Lets time and input pass until something holds. */
async function until(holds: () => boolean, clock?: FakeClock, step = 10): Promise<void> {
  while (!holds()) {
    await clock?.advance(step);
    await settled();
  }
}

describe('connecting for the first time', () => {
  test('takes the first endpoint that does not refuse, whatever those before it did', async () => {
    const refusing = await server((socket) => socket.end());
    ends.push(refusing.stop);
    const narrow = await brokerWith({ channelMax: 4 });
    const broker = await brokerWith();
    const { connection } = connectionTo([refusing.url, narrow.url, broker.url]);
    await connection.start();
    expect(broker.sockets.size).toBe(1);
    await until(() => narrow.sockets.size === 0);
  });

  test('names every endpoint with its reason', async () => {
    const port = await freePort();
    const narrow = await brokerWith({ channelMax: 4 });
    const error = await refusal([`amqp://user:s3cret@127.0.0.1:${port}`, narrow.url]);
    expect(error).toBeInstanceOf(RabbitMqSetupError);
    expect(error.message).toMatch(
      new RegExp(`^No RabbitMQ could be reached at amqp://127.0.0.1:${port} \\(.*ECONNREFUSED.*\\)\\. .*4 channels`),
    );
  });

  test('gives up a peer that says something now and then, but never enough, and leaves no socket', async () => {
    const sockets = new Set<Socket>();
    const dripping = await server((socket) => {
      sockets.add(socket);
      socket.resume();
      socket.on('close', () => sockets.delete(socket));
      socket.write(Buffer.from([1, 0, 0, 0, 0, 1, 0]));
    });
    ends.push(dripping.stop);
    const { connection, clock } = connectionTo([dripping.url], { connectTimeout: 1_000 });
    const start = connection.start();
    const outcome = start.catch((reason: unknown) => reason);
    await until(() => sockets.size === 1);
    for (let second = 0; second < 1_000; second += 100) {
      for (const socket of sockets) socket.write('.');
      await clock.advance(100);
    }
    expect(((await outcome) as Error).message).toContain('no answer within 1000 ms');
    await until(() => sockets.size === 0);
  });

  test('says so where something else listens', async () => {
    const http = createHttpServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    ends.push(() => http.close());
    const { port } = http.address() as AddressInfo;
    const error = await refusal([`amqp://user:s3cret@127.0.0.1:${port}`]);
    expect(error).toBeInstanceOf(RabbitMqUnreachableError);
    expect(error.message).toMatch(
      new RegExp(`at amqp://127.0.0.1:${port} \\(what listens there is not RabbitMQ: .*\\): start it`),
    );
  });

  test('says so where the port speaks TLS', async () => {
    const alert = await server((socket) => socket.once('data', () => socket.end(Buffer.from('15030300020246', 'hex'))));
    ends.push(alert.stop);
    expect((await refusal([alert.url])).message).toMatch(/or it wants TLS, that is amqps:\/\/ or the option tls/);
  });

  test('says so where the port speaks no TLS', async () => {
    // RabbitMQ answers what it does not know with its own greeting.
    const plain = await server((socket) => socket.once('data', () => socket.end(Buffer.from('AMQP\0\0\t\x01'))));
    ends.push(plain.stop);
    const error = await refusal([plain.url.replace('amqp:', 'amqps:')]);
    expect(error.message).toMatch(/this port speaks no TLS: take the one that does, 5671 by default/);
  });

  test.each([
    [{ channelMax: 8 }, /allows 8 channels on a connection, but at least 16 are needed: raise channel_max/],
    [{ frameMax: 4_096 }, /allows frames of 4096 bytes, but at least 16384 are needed: raise frame_max/],
  ])('refuses a broker that allows too little: %p', async (offer, text) => {
    const broker = await brokerWith(offer);
    const error = await refusal([broker.url]);
    expect(error).toBeInstanceOf(RabbitMqSetupError);
    expect(error.message).toMatch(text);
    await until(() => broker.sockets.size === 0);
  });

  test.each([320, 541])(
    'fails where the broker closes it in the packet that opens it (%i), and leaves no socket',
    async (code) => {
      const broker = await brokerWith();
      await connectionTo([broker.url]).connection.start();
      for (const socket of broker.sockets) socket.destroy();
      broker.behindOpenOk = closeFrame(code, 'going down');
      const error = await refusal([broker.url]);
      expect(error).toBeInstanceOf(RabbitMqUnreachableError);
      expect(error.message).toMatch(new RegExp(`${code}.*going down`));
      await until(() => broker.sockets.size === 0);
    },
  );
});

describe('a broker that is not there yet', () => {
  test('is waited for as long as startTimeout says', async () => {
    const broker = await brokerWith();
    broker.behindOpenOk = closeFrame(320, 'not yet');
    const { connection, clock, lines } = connectionTo([broker.url], { startTimeout: 60_000 });
    const start = connection.start();
    await until(() => broker.came === 3, clock);
    broker.behindOpenOk = Buffer.alloc(0);
    await Promise.all([start, until(() => connection.current !== undefined, clock)]);
    expect(lines).toEqual([expect.stringMatching(/^No RabbitMQ could be reached at .* Waiting for it\.$/)]);
  });

  test('is given up then', async () => {
    const { connection, clock } = connectionTo([`amqp://127.0.0.1:${await freePort()}`], { startTimeout: 3_000 });
    let outcome: unknown;
    connection.start().catch((error: unknown) => (outcome = error));
    await until(() => outcome !== undefined, clock);
    expect(outcome).toBeInstanceOf(RabbitMqUnreachableError);
    expect(clock.now()).toBeGreaterThan(500);
    expect(clock.now()).toBeLessThanOrEqual(3_000);
  });

  test('is not waited for by who closes', async () => {
    const { connection, clock, lines } = connectionTo([`amqp://127.0.0.1:${await freePort()}`], {
      startTimeout: Infinity,
    });
    const start = connection.start().catch((error: unknown) => error);
    await until(() => lines.length === 1 && clock.pending > 0);
    await connection.close();
    expect(await start).toBeInstanceOf(RabbitMqUnreachableError);
    expect(clock.pending).toBe(0);
  });
});

describe('closing', () => {
  test('while it connects ends the attempt and its socket', async () => {
    const sockets = new Set<Socket>();
    const silent = await server((socket) => {
      sockets.add(socket);
      socket.resume();
      socket.on('close', () => sockets.delete(socket));
    });
    ends.push(silent.stop);
    const { connection, clock } = connectionTo([silent.url]);
    const start = connection.start().catch((error: unknown) => error);
    await until(() => sockets.size === 1);
    await connection.close();
    expect(await start).toBeInstanceOf(RabbitMqUnreachableError);
    await until(() => sockets.size === 0);
    expect(connection.current).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  test('waits a second for a broker that says nothing, and leaves no socket', async () => {
    const broker = await brokerWith();
    broker.answersClose = false;
    const { connection, clock } = connectionTo([broker.url]);
    await connection.start();
    let closed = false;
    void connection.close().then(() => (closed = true));
    await clock.advance(999);
    expect(closed).toBe(false);
    await clock.advance(1);
    expect(closed).toBe(true);
    await until(() => broker.sockets.size === 0);
  });
});

describe('a connection that was lost', () => {
  test('comes back ever more slowly while it does not last, and at once when it did', async () => {
    const broker = await brokerWith();
    const { connection, clock } = connectionTo([broker.url], { reconnect: { initial: 100, max: 10_000 } });
    await connection.start();
    const waits: number[] = [];
    for (let times = 0; times < 4; times++) {
      const came = broker.came;
      for (const socket of broker.sockets) socket.end(closeFrame(320, 'go'));
      await until(() => connection.current === undefined);
      const lostAt = clock.now();
      await until(() => broker.came > came, clock, 1);
      waits.push(clock.now() - lostAt);
      await until(() => connection.current !== undefined);
    }
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(100 * 2 ** index);
      expect(wait).toBeLessThanOrEqual(200 * 2 ** index + 1);
    }
    await clock.advance(10_000);
    const came = broker.came;
    for (const socket of broker.sockets) socket.end(closeFrame(320, 'go'));
    await until(() => connection.current === undefined);
    const lostAt = clock.now();
    await until(() => broker.came > came, clock, 1);
    expect(clock.now() - lostAt).toBeLessThanOrEqual(101);
  });

  test('says at once, and then once a minute, that it is refused', async () => {
    const broker = await brokerWith();
    const { connection, clock, lines } = connectionTo([broker.url]);
    await connection.start();
    broker.offer = { channelMax: 1 };
    for (const socket of broker.sockets) socket.destroy();
    await until(() => lines.length === 2, clock, 100);
    expect(lines[1]).toMatch(
      /^The connection 'tests' to RabbitMQ does not come back: RabbitMQ at .* allows 1 channels/,
    );
    const told = clock.now();
    await until(() => lines.length === 3, clock, 1_000);
    expect(clock.now() - told).toBeGreaterThanOrEqual(60_000);
  });

  test('says after a minute that nothing answers', async () => {
    const broker = await brokerWith();
    const { connection, clock, lines } = connectionTo([broker.url]);
    await connection.start();
    ends.pop();
    await broker.stop();
    ends.push(() => connection.close());
    await until(() => lines.length === 2, clock, 1_000);
    expect(lines[1]).toMatch(/does not come back: No RabbitMQ could be reached at .*ECONNREFUSED/);
    expect(clock.now()).toBeGreaterThanOrEqual(60_000);
  });
});

test('the heartbeat is the one that was agreed upon', async () => {
  const broker = await brokerWith({ heartbeat: 3 });
  const { connection } = connectionTo([broker.url], { heartbeat: 20 });
  expect(connection.heartbeat).toBe(20_000);
  await connection.start();
  expect(connection.heartbeat).toBe(3_000);
});
