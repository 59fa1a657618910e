import { randomBytes } from 'node:crypto';
import { RabbitMqSetupError, RabbitMqUnreachableError, type RabbitMqOptions } from '@mississippi/rabbitmq';
import { startCollectingApp, type CollectingApp } from '../support/collecting-app.js';
import { erlangPeer } from '../support/erlang-peer.js';
import { evalJson } from '../support/erlang.js';
import { freePort, type BrokerNode } from '../support/rabbitmq-node.js';
import { deleteQueues, onRawBroker } from '../support/raw-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const TOTAL = 4;
const PASSWORD = 'gu3st-s3cret';

let peer: BrokerNode;
let prefix: string;
const open = new Set<CollectingApp>();

beforeAll(async () => {
  peer = await erlangPeer();
});

beforeEach(() => {
  prefix = `options-${randomBytes(4).toString('hex')}-`;
});

afterEach(async () => {
  for (const { app } of open) await app.close();
  open.clear();
  await deleteQueues(peer.url, prefix, TOTAL);
});

afterAll(async () => {
  await peer.stop();
});

async function start(options: RabbitMqOptions): Promise<CollectingApp> {
  const app = await startCollectingApp({
    ...(options.host === undefined ? { urls: [peer.url] } : {}),
    reconnect: { initial: 10, max: 50 },
    claimInterval: 50,
    ...options,
    queues: { prefix, totalCount: TOTAL, ...options.queues },
  });
  open.add(app);
  return app;
}

/** What stops an app from starting. */
async function refusal(options: RabbitMqOptions): Promise<Error> {
  try {
    await start(options);
  } catch (error) {
    expect(String(error)).not.toContain(PASSWORD);
    return error as Error;
  }
  throw new Error('the app started, but should have refused to');
}

function withUser(user: string, path = ''): string {
  const url = new URL(peer.url);
  return `amqp://${user}@${url.host}${path}`;
}

/** Sends a message there and back. */
async function roundTrip({ producer, collection }: CollectingApp, payload: string): Promise<void> {
  const before = collection.messages.length;
  await producer.publish(payload, { shardingKey: 'device' });
  expect((await collection.handled(before + 1)).at(-1)!.payload).toBe(payload);
}

describe('an app that cannot use the broker does not start and says what to do', () => {
  test('when no broker answers', async () => {
    const [one, two] = [await freePort(), await freePort()];
    const urls = [one, two].map((port) => `amqp://guest:${PASSWORD}@127.0.0.1:${port}`);
    const error = await refusal({ urls });
    expect(error).toBeInstanceOf(RabbitMqUnreachableError);
    expect(error.message).toBe(
      `No RabbitMQ could be reached at amqp://127.0.0.1:${one} (connect ECONNREFUSED 127.0.0.1:${one}), ` +
        `at amqp://127.0.0.1:${two} (connect ECONNREFUSED 127.0.0.1:${two}): start it, or correct the urls given to rabbitmq().`,
    );
  });

  test('when the name of the host is unknown', async () => {
    const error = await refusal({ host: 'nowhere.invalid', password: PASSWORD });
    expect(error).toBeInstanceOf(RabbitMqUnreachableError);
    expect(error.message).toMatch(/at amqp:\/\/nowhere\.invalid:5672 \(.*nowhere\.invalid\): start it, or correct/);
  });

  test('when the password is wrong', async () => {
    const error = await refusal({ urls: [withUser(`guest:${PASSWORD}`)] });
    expect(error).toBeInstanceOf(RabbitMqSetupError);
    expect(error.message).toMatch(
      /refuses the connection \(.*ACCESS.REFUSED.*\): check username, password and virtual host/,
    );
  });

  test('when the virtual host is wrong', async () => {
    const error = await refusal({ urls: [withUser('guest:guest', '/nowhere')] });
    expect(error).toBeInstanceOf(RabbitMqSetupError);
    expect(error.message).toMatch(
      / does not open the virtual host 'nowhere' for the user 'guest': check its name, and the user's permissions on it\.$/,
    );
  });

  test('when the queues have another number of shards', async () => {
    await start({});
    const error = await refusal({ queues: { totalCount: 8 } });
    expect(error).toBeInstanceOf(RabbitMqSetupError);
    expect(error.message).toBe(
      `The queues '${prefix}*' have 4 shards by phash2 in the broker, but this app asks for 8 by phash2: ` +
        `set queues.totalCount to 4, or choose another queues.prefix. A key would otherwise change its shard and lose its order.`,
    );
  });

  test('when the queues belong to another hash', async () => {
    await onRawBroker(peer.url, (channel) =>
      channel.assertQueue(`${prefix}meta`, { deadLetterExchange: '', deadLetterRoutingKey: 'v1;4;murmur3' }),
    );
    const error = await refusal({});
    expect(error).toBeInstanceOf(RabbitMqSetupError);
    expect(error.message).toContain('have 4 shards by murmur3 in the broker, but this app asks for 4 by phash2');
    expect(error.message).not.toContain('set queues.totalCount to 4');
  });

  test('when a queue of the name belongs to somebody else', async () => {
    await onRawBroker(peer.url, (channel) => channel.assertQueue(`${prefix}meta`, { autoDelete: true }));
    const error = await refusal({});
    expect(error).toBeInstanceOf(RabbitMqSetupError);
    expect(error.message).toMatch(/meta' was declared by somebody else \(.*\): choose another queues\.prefix\.$/);
  });

  test('when a queue has arguments that nobody of us gives', async () => {
    await onRawBroker(peer.url, (channel) => channel.assertQueue(`${prefix}2`, { maxLength: 5 }));
    const error = await refusal({});
    expect(error).toBeInstanceOf(RabbitMqSetupError);
    expect(error.message).toMatch(
      /exists with other arguments \(.*x-max-length.*\): delete it, or choose another queues/,
    );
  });

  test('when the exchange is of another type', async () => {
    const exchange = `${prefix}exchange`;
    await onRawBroker(peer.url, (channel) => channel.assertExchange(exchange, 'topic'));
    const error = await refusal({ exchange });
    await onRawBroker(peer.url, (channel) => channel.deleteExchange(exchange));
    expect(error).toBeInstanceOf(RabbitMqSetupError);
    expect(error.message).toMatch(
      /exists, but is not direct and durable \(.*\): choose another exchange, or delete it/,
    );
  });

  for (const [there, asked] of [
    ['classic', 'quorum'],
    ['quorum', 'classic'],
  ] as const) {
    test(`when the queues are ${there}, but it asks for ${asked}`, async () => {
      await start({ queues: { type: there } });
      const error = await refusal({ queues: { type: asked } });
      expect(error).toBeInstanceOf(RabbitMqSetupError);
      expect(error.message).toBe(
        `The queues '${prefix}*' are ${there} in the broker, but this app asks for ${asked}: ` +
          `set queues.type to '${there}', or choose another queues.prefix.`,
      );
    });
  }
});

describe('an app', () => {
  test('declares a named exchange, binds its queues to it and publishes through it', async () => {
    const exchange = `${prefix}exchange`;
    const app = await start({ exchange });
    await roundTrip(app, 'by the exchange');
    const found = evalJson(
      peer,
      `Name = rabbit_misc:r(<<"/">>, exchange, <<"${exchange}">>),
       {ok, Exchange} = rabbit_exchange:lookup(Name),
       Keys = [element(3, Binding) || Binding <- rabbit_binding:list_for_source(Name)],
       #{type => element(3, Exchange), durable => element(4, Exchange), bindings => lists:sort(Keys)}`,
    );
    expect(found).toEqual({
      type: 'direct',
      durable: true,
      bindings: [0, 1, 2, 3].map((shard) => `${prefix}${shard}`),
    });
    await app.app.close();
    open.clear();
    await onRawBroker(peer.url, (channel) => channel.deleteExchange(exchange));
  });

  describe.each(['a/b', '..', 'ü ?'])('with credentials of any characters and the virtual host %p', (name) => {
    const [username, password] = ['u@ñ', 'p/w:?#%ä€'];
    let virtualHost: string;

    beforeEach(() => {
      virtualHost = name === '..' ? name : `${name} ${prefix}`;
      peer.ctl('add_vhost', virtualHost);
      peer.ctl('add_user', username, password);
      peer.ctl('set_permissions', '--vhost', virtualHost, username, '.*', '.*', '.*');
    });

    afterEach(async () => {
      for (const { app } of open) await app.close();
      open.clear();
      peer.ctl('delete_user', username);
      peer.ctl('delete_vhost', virtualHost);
    });

    test('connects by options', async () => {
      const { hostname, port } = new URL(peer.url);
      await roundTrip(await start({ host: hostname, port: Number(port), username, password, virtualHost }), 'hello');
    });

    test('connects by a url', async () => {
      const [user, secret, path] = [username, password, virtualHost].map(encodeURIComponent);
      await roundTrip(await start({ urls: [withUser(`${user}:${secret}`, `/${path}?heartbeat=5`)] }), 'hello');
      const beats = evalJson(
        peer,
        `[proplists:get_value(timeout, rabbit_networking:connection_info(C, [timeout])) ||
        C <- rabbit_networking:connections(), rabbit_networking:connection_info(C, [user]) =:= [{user, <<"${username}"/utf8>>}]]`,
      );
      expect(new Set(beats as number[])).toEqual(new Set([5]));
    });
  });

  test('whose password was changed says that it is refused, and comes back when it is right again', async () => {
    const username = `user-${prefix}`;
    peer.ctl('add_user', username, PASSWORD);
    peer.ctl('set_permissions', username, '.*', '.*', '.*');
    const proxy = await TcpProxy.start(peer.url);
    try {
      const app = await start({ urls: [`amqp://${username}:${PASSWORD}@127.0.0.1:${proxy.port}`] });
      await roundTrip(app, 'before');
      peer.ctl('change_password', username, 'other');
      proxy.cut();
      const { collection } = app;
      const refused = (): number => collection.lines.filter((line) => /does not come back.*refuses/.test(line)).length;
      await collection.until('both connections were refused', () => refused() === 2);
      peer.ctl('change_password', username, PASSWORD);
      await roundTrip(app, 'after');
      expect(refused()).toBe(2);
      expect(collection.lines.join('\n')).not.toContain(PASSWORD);
      await app.app.close();
      open.clear();
    } finally {
      await proxy.close();
      peer.ctl('delete_user', username);
    }
  });

  test('owns no more shards than its channels are enough for', async () => {
    const { app, collection, service } = await start({
      urls: [`${peer.url}?channelMax=16`],
      queues: { totalCount: 8 },
    });
    expect(service.status().shards).toBe(4);
    expect(collection.lines.filter((line) => line.includes('channel_max'))).toEqual([
      'This process owns at most 4 shards, because RabbitMQ allows 16 channels on a connection: raise channel_max, or start more processes.',
    ]);
    expect(collection.lines.filter((line) => /cannot be consumed|failed/.test(line))).toEqual([]);
    await app.close();
    open.clear();
    await deleteQueues(peer.url, prefix, 8);
  });

  test('waits for a broker that is not there yet, when it is told to', async () => {
    const port = await freePort();
    const starting = start({ urls: [`amqp://guest:guest@127.0.0.1:${port}`], startTimeout: 60_000 });
    const proxy = await TcpProxy.start(peer.url, port);
    const app = await starting;
    await roundTrip(app, 'hello');
    await app.app.close();
    open.clear();
    await proxy.close();
  });

  test('starts with whichever url answers', async () => {
    const app = await start({ urls: [`amqp://guest:guest@127.0.0.1:${await freePort()}`, peer.url] });
    await roundTrip(app, 'hello');
  });

  test('goes over to another url when one fails, and says so without credentials', async () => {
    const proxies = [await TcpProxy.start(peer.url), await TcpProxy.start(peer.url)];
    const app = await start({ urls: proxies.map((proxy) => proxy.url) });
    await roundTrip(app, 'by the first');
    await proxies[0]!.close();
    await roundTrip(app, 'by the second');
    const lines = app.collection.lines.join('\n');
    expect(lines).toMatch(/was lost \(.*\); connecting again/);
    expect(lines).toContain(`is back, at amqp://127.0.0.1:${proxies[1]!.port}.`);
    expect(lines).not.toContain('guest');
    await app.app.close();
    open.clear();
    await proxies[1]!.close();
  });
});
