import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { rabbitmq, RabbitMqSetupError, type RabbitMqOptions } from '@mississippi/rabbitmq';
import { sharedUrl } from '../../support/broker.js';
import { idleConsumer } from '../../support/idle-consumer.js';
import { LogLines } from '../../support/log-lines.js';
import { startCollectingApp } from '../../support/collecting-app.js';
import { Member } from '../../support/member.js';
import { deleteQueues, onRawBroker } from '../../support/raw-broker.js';

/** How long what was deleted may be away: the process that coordinates looks every five seconds. Milliseconds. */
const PATIENCE = 30_000;
const TOTAL = 4;

let prefix: string;
let logger: LogLines;
const open = new Set<TransportConnection>();

beforeEach(() => {
  prefix = `apps-${randomBytes(4).toString('hex')}-`;
  logger = new LogLines();
});

afterEach(async () => {
  for (const connection of open) await connection.close();
  open.clear();
  await deleteQueues(sharedUrl(), prefix, TOTAL);
});

interface App extends RabbitMqOptions {
  readonly instance?: string;
  readonly handler?: string;
}

async function connect({
  instance = 'default',
  handler = 'Orders',
  ...options
}: App = {}): Promise<TransportConnection> {
  const queues = { prefix, totalCount: TOTAL, ...options.queues };
  const transport = rabbitmq({ urls: [sharedUrl()], claimInterval: 50, ...options, queues });
  const connection = await transport.connect({ instance, handler, logger, clock: systemClock, keyText: inspectKey });
  open.add(connection);
  return connection;
}

async function consume(app: App = {}): Promise<TransportConnection> {
  const connection = await connect(app);
  await connection.consume(idleConsumer);
  return connection;
}

/** Why an app does not start to consume. */
async function refusal(app: App): Promise<RabbitMqSetupError> {
  const error: unknown = await consume(app).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RabbitMqSetupError);
  return error as RabbitMqSetupError;
}

const gone = async (connection: TransportConnection): Promise<void> => {
  open.delete(connection);
  await connection.close();
};

describe('two applications on one prefix', () => {
  test('are told apart by their handlers, at the same time and one after the other', async () => {
    const first = await consume();
    const { message } = await refusal({ handler: 'Flights' });
    expect(message).toBe(
      `The queues '${prefix}*' belong to the application 'default/Orders' in the broker, but this is 'default/Flights', and each would ` +
        `take the other's messages: choose another queues.prefix. If it is the same application under another name, set application to ` +
        `'default/Orders'; to take over what it left behind, end its processes and delete the queue '${prefix}application'.`,
    );
    expect(first.status().shards).toBe(TOTAL);
    await gone(first);
    await refusal({ handler: 'Flights' });
  });

  test('may be one that was renamed, or two that mean to share', async () => {
    await gone(await consume());
    const renamed = await consume({ handler: 'a', application: 'default/Orders' });
    expect(renamed.status().shards).toBe(TOTAL);
    await consume({ handler: 'b', application: 'default/Orders' });
  });

  test('may follow one another, when the memory of the first is deleted', async () => {
    await gone(await consume());
    await onRawBroker(sharedUrl(), (channel) => channel.deleteQueue(`${prefix}application`));
    expect((await consume({ handler: 'Flights' })).status().shards).toBe(TOTAL);
    await refusal({});
  });

  test('are told apart by those that live, when the memory is deleted meanwhile', async () => {
    await consume({ claimInterval: 600_000 });
    await onRawBroker(sharedUrl(), (channel) => channel.deleteQueue(`${prefix}application`));
    expect((await refusal({ handler: 'Flights' })).message).toMatch(/belong to the application 'default\/Orders'/);
    // It has left no memory of its own.
    await consume({ claimInterval: 600_000 });
  });

  test('may both publish', async () => {
    await consume();
    const connection = await rabbitmq({ urls: [sharedUrl()], queues: { prefix, totalCount: TOTAL } }).connect({
      instance: 'elsewhere',
      logger,
      clock: systemClock,
      keyText: inspectKey,
    });
    open.add(connection);
    const message = { shard: 0, key: Buffer.of(131, 97, 1), body: Buffer.from('1'), headers: {}, timestamp: 0 };
    await connection.publisher.publish({ ...message, messageId: '1' }, 10_000);
  });

  test('do not start beside one that has another number of shards, when the memory is deleted', async () => {
    await consume({ claimInterval: 600_000 });
    await onRawBroker(sharedUrl(), (channel) => channel.deleteQueue(`${prefix}meta`));
    expect((await refusal({ queues: { totalCount: 2 } })).message).toMatch(
      /have 4 shards for the process .* asks for 2/,
    );
  });

  test('have what is remembered back at the next look, when it is deleted', async () => {
    await consume();
    for (const name of ['meta', 'application', 'dead_letters']) {
      await onRawBroker(sharedUrl(), (channel) => channel.deleteQueue(`${prefix}${name}`));
    }
    const present = async (name: string): Promise<boolean> => {
      const checking = onRawBroker(sharedUrl(), (channel) => {
        channel.on('error', () => undefined);
        return channel.checkQueue(`${prefix}${name}`);
      });
      return checking.then(
        () => true,
        () => false,
      );
    };
    for (const name of ['meta', 'application', 'dead_letters']) {
      const end = performance.now() + PATIENCE;
      while (!(await present(name)) && performance.now() < end);
      expect(await present(name)).toBe(true);
    }
    await refusal({ handler: 'Flights' });
  });

  test('may have been declared by 0.1, which remembers no application', async () => {
    await onRawBroker(sharedUrl(), async (channel) => {
      await channel.assertQueue(`${prefix}meta`, {
        deadLetterExchange: '',
        deadLetterRoutingKey: `v1;${TOTAL};phash2`,
      });
      for (let shard = 0; shard < TOTAL; shard++) await channel.assertQueue(`${prefix}${shard}`);
    });
    expect((await consume()).status().shards).toBe(TOTAL);
    await refusal({ handler: 'Flights' });
  });
});

test('two instances of one process do not consume the same queues, whatever the application is called', async () => {
  const first = await consume({ instance: 'orders', application: 'shop' });
  const error = await refusal({ instance: 'flights', application: 'shop' });
  expect(error.message).toBe(
    `The instances 'orders' and 'flights' of this process both consume the queues '${prefix}*', and each would take the other's messages: ` +
      `give each a queues.prefix of its own.`,
  );
  await gone(first);
  await consume({ instance: 'flights', application: 'shop' });
});

test('an app names itself after its instance and its handler', async () => {
  const options = { urls: [sharedUrl()], queues: { prefix, totalCount: TOTAL } };
  const member = await Member.start('a', options);
  await expect(startCollectingApp(options)).rejects.toThrow(/'default\/MemberHandler' .* this is 'default\/Collector'/);
  await member.stop();
});
