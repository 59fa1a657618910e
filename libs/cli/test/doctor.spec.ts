import type { ShardQueues } from '@mississippi/rabbitmq/inspection';
import { checkProcesses, checkShards } from '../src/doctor/app-checks.js';
import { checkBroker, checkOwners, checkQueues } from '../src/doctor/broker-checks.js';
import { checkNodes, checkPolicies } from '../src/doctor/management-checks.js';
import { checkStore } from '../src/doctor/store-checks.js';

const BROKER = {
  name: 'amqp://h:5672',
  virtualHost: '/',
  username: 'u',
  product: 'RabbitMQ',
  version: '4.0.5',
  cluster: 'c',
  heartbeat: 10,
  channelMax: 2047,
};
const QUEUES = {
  prefix: 'm_',
  totalCount: 2,
  type: 'classic',
  hash: 'phash2',
  application: 'a',
  counted: false,
} as const;

const shard = (index: number, consumers = 1, messages = 0): ShardQueues => {
  const queue = (name: string) => ({ name, messages, consumers });
  return { shard: index, messages: queue(`m_${index}`), parked: undefined, signals: queue(`m_${index}.signals`) };
};
const whatOf = (findings: readonly { what: string }[]): string[] => findings.map(({ what }) => what);

test('a broker is told by its version, channels and heartbeat', () => {
  expect(checkBroker(BROKER)).toEqual([]);
  expect(checkBroker({ ...BROKER, version: '3.10.8' })).toEqual([]);
  expect(whatOf(checkBroker({ ...BROKER, version: '3.9.29', channelMax: 100, heartbeat: 0 }))).toEqual([
    'RabbitMQ is 3.9.29',
    'the broker allows 100 channels on a connection',
    'there are no heartbeats',
  ]);
  expect(whatOf(checkBroker({ ...BROKER, product: 'LavinMQ', version: '2.0' }))).toEqual([
    'the broker is LavinMQ 2.0, not RabbitMQ',
  ]);
});

test('queues that are missing are named', () => {
  expect(checkQueues(QUEUES, [shard(0), shard(1)], true)).toEqual([]);
  const broken: ShardQueues[] = [shard(0), { shard: 1, messages: undefined, parked: undefined, signals: undefined }];
  expect(whatOf(checkQueues({ ...QUEUES, counted: true }, broken, false))).toEqual([
    "the number of shards, 2, was counted, since 'm_meta' does not tell it",
    'queues of shards are missing: 1',
    'queues of signals are missing: 1',
    "'m_dead_letters' is missing",
  ]);
});

test('shards without an owner, and those that a stranger consumes, are named', () => {
  const owned = new Set([0]);
  expect(checkOwners([shard(0)], owned)).toEqual([]);
  expect(whatOf(checkOwners([shard(0), shard(1, 0, 7)], owned))).toEqual(['shards without an owner: 1']);
  expect(checkOwners([shard(0, 0, 3), shard(1, 0, 4)], new Set())).toMatchObject([
    { level: 'error', what: 'no process consumes any shard', why: 'their keys wait; 7 messages are in them' },
  ]);
  expect(whatOf(checkOwners([shard(0), shard(1)], owned))).toEqual(['somebody consumes shards who takes no part: 1']);
});

test('processes whose intake is paused are named: an error where nobody is left', () => {
  const process = { name: 'mississippi a h:1:x', shards: [0, 1], self: false, intake: 'open' } as const;
  const paused = { ...process, name: 'mississippi a h:2:y', shards: [], intake: 'paused' } as const;
  expect(checkProcesses([process, paused], 2)).toMatchObject([
    { level: 'note', what: 'the intake of 1 process is paused: mississippi a h:2:y' },
  ]);
  expect(checkProcesses([paused, { ...paused, name: 'mississippi a h:3:z' }], 2)).toMatchObject([
    { level: 'error', what: 'the intake of 2 processes is paused: mississippi a h:2:y, mississippi a h:3:z' },
  ]);
});

test('processes that say nothing, and side queues that are full or nearly so, are named', () => {
  const process = { name: 'a', shards: [0, 1], self: false, intake: 'open' } as const;
  expect(checkProcesses([process], 1)).toEqual([]);
  expect(whatOf(checkProcesses([process], 2))).toEqual(['2 processes take part, and 1 of them said so']);
  const NOTHING = { epoch: 1, keys: 1, inFlight: 0, rate: 0, oldest: undefined, troubles: {}, times: [], busiest: [] };
  const report = (index: number, parked: number, stalled = false) => ({
    shard: index,
    process: 'a',
    backlog: 0,
    owned: { ...NOTHING, parked, stalled },
  });
  expect(checkShards([report(0, 79), report(1, 0)], 100)).toEqual([]);
  const bad = checkShards([report(0, 80), report(1, 100, true), { ...report(2, 0), owned: undefined }], 100);
  expect(bad.map(({ what, command }) => [what, command])).toEqual([
    ['the owners of shards do not answer: 2', undefined],
    ['shards stand still, since their side queues are full: 1', 'parked list --shard 1'],
    ['side queues are nearly full (80 % of 100): 0', 'parked list --shard 0'],
  ]);
});

test('policies that lose messages or hold shards up are named, by what RabbitMQ 3.10 answers', () => {
  const queue = (name: string, definition: object | [], policy: string | null = 'all') => ({
    name,
    policy,
    operator_policy: null,
    effective_policy_definition: definition as Record<string, unknown>,
  });
  expect(
    checkPolicies([queue('m_0', [], null), queue('m_0', { 'ha-mode': 'all' }), queue('other', { expires: 1 })], 'm_'),
  ).toEqual([]);
  expect(checkPolicies([queue('m_dead_letters', { 'max-length': 9, overflow: 'drop-head' })], 'm_')).toEqual([]);
  const found = checkPolicies(
    [
      queue('m_0', { 'message-ttl': 60_000, 'consumer-timeout': 60_000 }),
      queue('m_1', { 'message-ttl': 60_000 }),
      queue('m_1.parked', { 'max-length': 10, overflow: 'reject-publish' }, 'short'),
    ],
    'm_',
  );
  expect(found.map(({ what, why }) => [what, why])).toEqual([
    [
      "the policy 'all' sets message-ttl to 60000, on 2 queues of ours",
      'messages vanish when they have waited for so long',
    ],
    [
      "the policy 'all' sets consumer-timeout to 60000, on 'm_0'",
      'shorter than the app expects (deliveryTimeout), it takes messages back that are being handled',
    ],
    ["the policy 'short' sets max-length to 10, on 'm_1.parked'", 'what does not fit is refused, and its key waits'],
  ]);
});

test('nodes that are down or have an alarm are named', () => {
  expect(checkNodes([{ name: 'a', running: true, mem_alarm: false, disk_free_alarm: false }])).toEqual([]);
  expect(
    whatOf(
      checkNodes([
        { name: 'a', running: true, mem_alarm: true },
        { name: 'b', running: false },
      ]),
    ),
  ).toEqual(['nodes of the cluster are down: b', 'nodes have a memory or disk alarm: a']);
});

test('a store of another app, of another version, or without tables, is told', () => {
  const own = { name: 'default', transport: 'rabbitmq', totalCount: 2, hash: 'phash2', inboxHorizon: 1, settleTime: 1 };
  const facts = { server: '15', schema: 'mississippi', version: 1, oldest: 1, known: 1, instances: [own] };
  expect(checkStore(facts, 'default', QUEUES)).toEqual([]);
  expect(whatOf(checkStore({ ...facts, version: 0, instances: [] }, 'default', QUEUES))).toEqual([
    "the schema 'mississippi' has no tables",
  ]);
  expect(whatOf(checkStore({ ...facts, version: 3, oldest: 2 }, 'default', QUEUES))).toEqual([
    'the tables have version 3, and this program knows 1',
  ]);
  expect(whatOf(checkStore(facts, 'orders', QUEUES))).toEqual(["the store does not know the instance 'orders'"]);
  expect(whatOf(checkStore({ ...facts, instances: [{ ...own, totalCount: 9 }] }, 'default', QUEUES))).toEqual([
    'the store knows the instance with 9 shards over rabbitmq, and the broker has 2',
  ]);
});
