import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { rabbitmq, RabbitMqSetupError, type RabbitMqOptions } from '@mississippi/rabbitmq';
import { erlangPeer } from '../../support/erlang-peer.js';
import { idleConsumer } from '../../support/idle-consumer.js';
import { LogLines } from '../../support/log-lines.js';
import { Member, until } from '../../support/member.js';
import type { BrokerNode } from '../../support/rabbitmq-node.js';
import { deleteQueues, onRawBroker } from '../../support/raw-broker.js';

const TOTAL = 4;

let peer: BrokerNode;
let vhost: string;
let url: string;
let rabbit: RabbitMqOptions;
let logger: LogLines;
const open = new Set<TransportConnection>();
const members = new Set<Member>();

beforeAll(async () => {
  peer = await erlangPeer();
});

beforeEach(() => {
  vhost = `types-${randomBytes(4).toString('hex')}`;
  makeVhost('--default-queue-type', 'quorum');
  url = `${peer.url}/${vhost}`;
  rabbit = { urls: [url], claimInterval: 50, queues: { prefix: 'river_', totalCount: TOTAL } };
  logger = new LogLines();
});

afterEach(async () => {
  for (const connection of open) await connection.close();
  for (const member of members) await member.stop();
  open.clear();
  members.clear();
  peer.ctl('delete_vhost', vhost);
});

afterAll(() => peer.stop());

async function connect(options: RabbitMqOptions): Promise<TransportConnection> {
  const connection = await rabbitmq(options).connect({
    instance: 'default',
    logger,
    clock: systemClock,
    keyText: inspectKey,
  });
  open.add(connection);
  return connection;
}

/** Names and types of the queues of the virtual host, as the broker made them. */
function typesOf(): Set<string> {
  const lines = peer.ctl(
    'list_queues',
    '--silent',
    '--no-table-headers',
    '--vhost',
    vhost,
    'type',
    'durable',
    'exclusive',
  );
  return new Set(
    lines
      .split('\n')
      .filter((line) => /true\s+false$/.test(line))
      .map((line) => line.split('\t')[0]!),
  );
}

function makeVhost(...options: string[]): void {
  peer.ctl('add_vhost', vhost, ...options);
  peer.ctl('set_permissions', '--vhost', vhost, 'guest', '.*', '.*', '.*');
}

/** Evaluates the first where the broker reaches what it stores through modules for it, from 3.12 on; else the second. */
function evalInStore(through: string, inMnesia: string): void {
  peer.eval(
    `case code:ensure_loaded(rabbit_db_queue) of
       {module, _} -> ${through};
       _ -> rabbit_misc:execute_mnesia_transaction(fun() -> ${inMnesia} end)
     end.`,
  );
}

/** What `rabbitmqctl update_vhost_metadata` does in newer releases. */
function makeQuorumTheDefault(): void {
  evalInStore(
    `rabbit_db_vhost:merge_metadata(<<"${vhost}">>, #{default_queue_type => <<"quorum">>})`,
    `rabbit_vhost:update_metadata(<<"${vhost}">>, fun(Metadata) -> Metadata#{default_queue_type => <<"quorum">>} end)`,
  );
}

/** As RabbitMQ does from 3.12 on with quorum_relaxed_checks_on_redeclaration, it no longer compares the type. */
function forgetType(queue: string): void {
  const [name, update] = [`rabbit_misc:r(<<"${vhost}">>, queue, <<"${queue}">>)`, 'amqqueue:set_arguments(Queue, [])'];
  evalInStore(
    `rabbit_db_queue:update(${name}, fun(Queue) -> ${update} end)`,
    `rabbit_amqqueue:update(${name}, fun(Queue) -> ${update} end)`,
  );
}

describe('where the virtual host makes quorum queues by default', () => {
  test('the queues are classic all the same, and each shard has one owner', async () => {
    const a = await Member.start('a', rabbit);
    members.add(a);
    const b = await Member.start('b', rabbit);
    members.add(b);
    await until(
      () => `shares of 2/2, now ${a.shards}/${b.shards}`,
      () => a.shards === 2 && b.shards === 2,
    );
    const processes = await a.service.processes();
    expect(processes.flatMap(({ shards }) => shards).sort((one, other) => one - other)).toEqual([0, 1, 2, 3]);
    expect(typesOf()).toEqual(new Set(['classic']));
  });

  test('an app does not start on queues that were made so, and says what to do', async () => {
    await onRawBroker(url, (channel) => channel.assertQueue('river_2'));
    const refusal = await connect(rabbit).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RabbitMqSetupError);
    expect(String(refusal)).toMatch(/are quorum in the broker, but this app asks for classic/);
  });

  test('an app that asks for quorum queues does not take those that lack what the library gives them', async () => {
    await onRawBroker(url, (channel) => channel.assertQueue('river_2'));
    const refusal = await connect({ ...rabbit, queues: { ...rabbit.queues, type: 'quorum' } }).catch(
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(RabbitMqSetupError);
    expect(String(refusal)).toMatch(/quorum queues that somebody else declared.*delete them, or choose another/);
  });

  test('an app does not start where an exclusive consumer is not enforced, though the queue passes for classic', async () => {
    await onRawBroker(url, (channel) => channel.assertQueue('river_2'));
    forgetType('river_2');
    const connection = await connect(rabbit);
    const refusal = await connection.consume(idleConsumer).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RabbitMqSetupError);
    expect(String(refusal)).toMatch(
      /several consumers share the queue 'river_2', though an exclusive one was asked for/,
    );
    expect(connection.status().shards).toBe(0);
  });

  test('queues that name no type, declared before it did, are used on', async () => {
    peer.ctl('delete_vhost', vhost);
    makeVhost();
    await onRawBroker(url, (channel) => channel.assertQueue('river_2'));
    makeQuorumTheDefault();
    const connection = await connect(rabbit);
    await connection.consume(idleConsumer);
    expect(connection.status().shards).toBe(TOTAL);
    expect(typesOf()).toEqual(new Set(['classic']));
  });
});

test('a queue that a peer declared without naming a type is shared with it, whoever comes first', async () => {
  const prefix = `types-${randomBytes(4).toString('hex')}-`;
  await onRawBroker(peer.url, (channel) => channel.assertQueue(`${prefix}1`));
  const connection = await connect({ urls: [peer.url], queues: { prefix, totalCount: TOTAL } });
  await onRawBroker(peer.url, (channel) => channel.assertQueue(`${prefix}0`));
  await connection.consume(idleConsumer);
  expect(connection.status().shards).toBe(TOTAL);
  await connection.close();
  open.clear();
  await deleteQueues(peer.url, prefix, TOTAL);
});
