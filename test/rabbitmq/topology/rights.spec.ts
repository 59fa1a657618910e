import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { rabbitmq, RabbitMqAccessError, type RabbitMqOptions } from '@mississippi/rabbitmq';
import { startCollectingApp } from '../../support/collecting-app.js';
import { erlangPeer } from '../../support/erlang-peer.js';
import { idleConsumer } from '../../support/idle-consumer.js';
import { LogLines } from '../../support/log-lines.js';
import { Member, until } from '../../support/member.js';
import type { BrokerNode } from '../../support/rabbitmq-node.js';
import { deleteQueues, onRawBroker } from '../../support/raw-broker.js';

const TOTAL = 4;
const NOTHING = '^$';

let peer: BrokerNode;
let prefix: string;
let user: string;
let logger: LogLines;
const open = new Set<TransportConnection>();
const members = new Set<Member>();

beforeAll(async () => {
  peer = await erlangPeer();
});

beforeEach(() => {
  prefix = `rights.${randomBytes(4).toString('hex')}-`;
  user = `user-${randomBytes(4).toString('hex')}`;
  logger = new LogLines();
  peer.ctl('add_user', user, 'secret');
});

afterEach(async () => {
  for (const connection of open) await connection.close();
  for (const member of members) await member.stop();
  open.clear();
  members.clear();
  peer.ctl('delete_user', user);
  await deleteQueues(peer.url, prefix, TOTAL);
});

afterAll(() => peer.stop());

/** The least that is needed, as documented. */
const least = () => {
  const own = `^${prefix.replaceAll('.', '\\.')}`;
  return { configure: own, write: '^amq\\.default', read: own };
};

function allow({ configure, write, read }: ReturnType<typeof least>): RabbitMqOptions {
  peer.ctl('set_permissions', user, configure, write, read);
  const url = new URL(peer.url);
  url.username = user;
  url.password = 'secret';
  return { urls: [url.href], claimInterval: 50, heartbeat: 2, queues: { prefix, totalCount: TOTAL } };
}

async function refusal(options: RabbitMqOptions): Promise<RabbitMqAccessError> {
  const starting = rabbitmq(options)
    .connect({ instance: 'default', logger, clock: systemClock, keyText: inspectKey })
    .then(async (connection) => {
      open.add(connection);
      await connection.consume(idleConsumer);
    });
  const error: unknown = await starting.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RabbitMqAccessError);
  return error as RabbitMqAccessError;
}

describe.each(['classic', 'quorum'] as const)('with the least rights, on %s queues,', (type) => {
  test('apps publish, consume, share, signal, and tell who takes part', async () => {
    const options = allow(least());
    const queues = { ...options.queues, type };
    const a = await Member.start('a', { ...options, queues });
    members.add(a);
    const b = await Member.start('b', { ...options, queues });
    members.add(b);
    await until(
      () => `shares of 2/2, now ${a.shards}/${b.shards}`,
      () => a.shards === 2 && b.shards === 2,
    );
    const answers = new Set<string>();
    for (let index = 0; index < 50; index++) {
      await a.producer.publish({ n: index }, { shardingKey: `k${index}` });
      answers.add((await a.service.handleSignal<{ member: string }>(`k${index}`, {})).member);
    }
    expect(answers).toEqual(new Set(['a', 'b']));
    expect(await a.service.processes()).toHaveLength(2);
    // Through the side queue and to the dead letters.
    const near = Array.from({ length: 50 }, (_, index) => `k${index}`);
    let key: string | undefined;
    for (const one of near) {
      key = await a.service.getDataUpdater(one).then(
        () => one,
        () => key,
      );
    }
    await a.service.park(key!);
    await a.producer.publish({ n: 1 }, { shardingKey: key! });
    let dropped = false;
    for (let tries = 0; !dropped && tries < 200; tries++) {
      dropped = await a.service.drop(key!).then(
        () => true,
        () => new Promise<boolean>((resolve) => void setTimeout(resolve, 10, false)), // It is not there yet.
      );
    }
    expect(await onRawBroker(peer.url, (channel) => channel.checkQueue(`${prefix}dead_letters`))).toMatchObject({
      messageCount: 1,
    });
  });
});

describe('a user who loses the right to publish', () => {
  const revoke = (): void => void peer.ctl('set_permissions', user, least().configure, least().configure, least().read);
  const grant = (): void => void peer.ctl('set_permissions', user, ...Object.values(least()));

  test('is told by each publish and in the log what to grant, and goes on when it is granted', async () => {
    const { app, producer, collection } = await startCollectingApp({
      ...allow(least()),
      reconnect: { initial: 20, max: 200 },
    });
    revoke();
    // On a channel that is open the broker may remember the right.
    peer.ctl('close_all_user_connections', user, 'rights were changed');
    await collection.untilLogged(/is back/, 2);
    const begun = performance.now();
    const publish = (n: number): Promise<unknown> =>
      producer.publish(n, { shardingKey: `k${n}` }).catch((error: unknown) => error);
    for (const error of await Promise.all(Array.from({ length: 200 }, (_, n) => publish(n)))) {
      expect(error).toMatchObject({
        reason: 'refused',
        message: expect.stringContaining(`grant '${least().write}'`) as string,
        cause: { code: 'rabbitmq_access', right: 'write', resource: `exchange 'amq.default'` },
      });
    }
    const told = collection.matching(/takes no messages any more/);
    expect(told[0]).toContain(`grant '${least().write}'`);
    expect(told.length).toBeLessThanOrEqual(1 + Math.floor((performance.now() - begun) / 10_000));
    expect(collection.matching(/closed a channel that publishes/)).toEqual([]);
    grant();
    while ((await publish(1_000)) !== undefined);
    await collection.handled(1);
    expect(collection.messages.map(({ payload }) => payload)).toEqual([1_000]);
    await app.close();
  });

  test('is told so by a signal, and in the log', async () => {
    const options = allow(least());
    const owner = await startCollectingApp({ ...options, urls: [peer.url] });
    const { app, service, collection } = await startCollectingApp(
      { ...options, reconnect: { initial: 20, max: 200 } },
      { producerOnly: true },
    );
    revoke();
    peer.ctl('close_all_user_connections', user, 'rights were changed');
    await collection.untilLogged(/is back/);
    await until(
      () => 'the owner to be back',
      () => owner.service.status().shards === TOTAL,
    );
    await expect(service.handleSignal('k', 1)).rejects.toMatchObject({
      code: 'rabbitmq_access',
      right: 'write',
      resource: `exchange 'amq.default'`,
    });
    expect(collection.matching(/^Signals and their answers are not taken: .*lacks the right 'write'/)).toHaveLength(1);
    grant();
    let answer: unknown;
    do {
      answer = await service.handleSignal('k', 1).catch(({ code }: { code: string }) => code);
    } while (answer === 'rabbitmq_access');
    expect(answer).toBe('signal_not_handled');
    await app.close();
    await owner.app.close();
  });
});

test('a named exchange needs rights of its own, and they suffice', async () => {
  const exchange = `${prefix}exchange`;
  const { configure } = least();
  const options = allow({ ...least(), write: `^(${configure.slice(1)}|amq\\.default)` });
  const connection = await rabbitmq({ ...options, exchange }).connect({
    instance: 'default',
    logger,
    clock: systemClock,
    keyText: inspectKey,
  });
  open.add(connection);
  const elsewhere = `other-${exchange}`;
  const error = await refusal({ ...options, exchange: elsewhere });
  expect(error).toMatchObject({ right: 'configure', resource: `exchange '${elsewhere}'` });
  expect(error.message).toContain(`grant '^(${configure.slice(1)}|${elsewhere.replaceAll('.', '\\.')})'`);
  await onRawBroker(peer.url, (channel) => channel.deleteExchange(exchange));
});

describe('an app does not start and says what to grant', () => {
  const command = () => {
    const { configure, write, read } = least();
    return `rabbitmqctl set_permissions --vhost '/' '${user}' '${configure}' '${write}' '${read}'.`;
  };

  test('without the right to configure', async () => {
    const error = await refusal(allow({ ...least(), configure: NOTHING }));
    expect(error).toMatchObject({
      right: 'configure',
      resource: `queue '${prefix}dead_letters'`,
      code: 'rabbitmq_access',
    });
    expect(error.message).toBe(
      `The user '${user}' lacks the right 'configure' on the queue '${prefix}dead_letters' in the virtual host '/': ` +
        `grant '${least().configure}', by ${command()}`,
    );
  });

  test('without the right to read', async () => {
    const error = await refusal(allow({ ...least(), read: NOTHING }));
    expect(error).toMatchObject({ right: 'read' });
    expect(error.message).toContain(command());
  });

  test('without the right to read the shards', async () => {
    const error = await refusal(allow({ ...least(), read: `^${prefix}(meta|application|members|coordinator)$` }));
    expect(error).toMatchObject({ right: 'read', resource: expect.stringMatching(/^queue '.*-[0-3]'$/) as string });
  });

  test('without the right to write to its queues, which binding them to an exchange needs', async () => {
    const exchange = `${prefix}exchange`;
    const error = await refusal({ ...allow(least()), exchange });
    expect(error).toMatchObject({ right: 'write', resource: expect.stringMatching(/^queue '.*-\d+'$/) as string });
    expect(error.message).toContain(`grant '^(${least().configure.slice(1)}|`);
    await onRawBroker(peer.url, (channel) => channel.deleteExchange(exchange));
  });

  test('without the right to publish', async () => {
    const error = await refusal(allow({ ...least(), write: least().configure }));
    expect(error).toMatchObject({ right: 'write', resource: `exchange 'amq.default'` });
    expect(error.message).toContain(`grant '${least().write}'`);
  });
});
