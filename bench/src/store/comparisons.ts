import { type Comparison, type Contender, CPU, figure, RATE } from '../harness/comparison.js';
import { SHARDS } from '../process/keys.js';
import { PREFETCH } from '../rabbitmq/queues.js';
import type { AppName, ProgramName } from './programs.js';
import type { QueueName } from './queue-programs.js';
import type { StoreRun, StoreStage } from './stage.js';

type OnStore = Comparison<StoreStage>;

const BROKER = figure('broker', 'broker CPU µs/message', 0);
const DATABASE = figure('database', 'database CPU µs/message', 0);
const FEW = 1_000;
const MANY = 1_000_000;
/** How long an idle app is looked at. Milliseconds. */
const IDLE = 5_000;

/** What each of the others is measured by: they are slower. */
const SLOW = 3_000;
const SLOW_SERIAL = 1_000;

/** The prefetch of handlers that have a transaction each: as many of 128 shards as go on at once are far fewer. */
const FEW_UNACKED = 10;

/** With one key pg-boss asks twice a second, for one job: it goes on at once only after a batch of more. */
const POLLED = 10;

export function storeComparisons(scale: number): OnStore[] {
  const scaled = (count: number, least = 200): number => Math.max(least, Math.round(count * scale));

  const program = (name: ProgramName, keys: number, count: number): Contender<StoreStage> => ({
    name,
    measure: (stage) => stage.consume(name, run(keys, count)),
  });
  // Until as many have come as may be unacked, more is received than is acked.
  const app = (name: AppName, keys: number, count: number, prefetch = prefetchOf(keys)): Contender<StoreStage> => {
    const unmeasured = Math.min(keys, SHARDS) * prefetch;
    return {
      name,
      measure: (stage) => stage.consume(name, { keys, messages: unmeasured + count, unmeasured, prefetch }),
    };
  };
  const queue = (name: QueueName, keys: number, count: number): Contender<StoreStage> => ({
    name,
    measure: (stage) => stage.work(name, run(keys, count)),
  });

  return [
    {
      name: 'store-10000',
      title: 'Durable state, 10,000 keys',
      about:
        'From filled queues to the ack, after messages that are not counted. bare: amqplib and pg, one transaction per message, 16 at once, no order. Only mississippi, pg-boss and groupmq order by key.',
      reference: 'bare',
      columns: [RATE, CPU, BROKER, DATABASE],
      contenders: [
        app('mississippi', 10_000, scaled(20_000)),
        app('no store', 10_000, scaled(20_000)),
        program('bare', 10_000, scaled(SLOW)),
        program('bare, one statement', 10_000, scaled(SLOW)),
        queue('pg-boss', 10_000, scaled(SLOW)),
        queue('groupmq', 10_000, scaled(SLOW)),
      ],
    },
    {
      name: 'store-hot',
      title: 'Durable state, one hot key',
      about: 'The same with one key. serial: the bare program with one transaction at a time, which keeps the order.',
      reference: 'serial',
      columns: [RATE, CPU, BROKER, DATABASE],
      contenders: [
        app('mississippi', 1, scaled(10_000)),
        app('no store', 1, scaled(10_000)),
        program('serial', 1, scaled(SLOW_SERIAL)),
        program('serial, one statement', 1, scaled(SLOW_SERIAL)),
        queue('pg-boss', 1, POLLED),
        queue('groupmq', 1, scaled(SLOW_SERIAL)),
      ],
    },
    {
      name: 'store-transaction-10000',
      title: "Handlers' own writes, 10,000 keys",
      about:
        'Each handler inserts a row of its own by context.transaction(), which commits with its message. bare: the same writes by hand in one transaction, 16 at once, no order.',
      reference: 'bare, own write',
      columns: [RATE, CPU, BROKER, DATABASE],
      contenders: [
        app('mississippi, own write', 10_000, scaled(SLOW), FEW_UNACKED),
        program('bare, own write', 10_000, scaled(SLOW)),
      ],
    },
    {
      name: 'store-transaction-hot',
      title: "Handlers' own writes, one hot key",
      about: 'The same with one key. serial: the bare program with one transaction at a time.',
      reference: 'serial, own write',
      columns: [RATE, CPU, BROKER, DATABASE],
      contenders: [
        app('mississippi, own write', 1, scaled(SLOW_SERIAL), FEW_UNACKED),
        program('serial, own write', 1, scaled(SLOW_SERIAL)),
      ],
    },
    {
      name: 'store-latency',
      title: 'From publishing to the ack, with and without a store',
      about:
        'Another process publishes evenly, 10,000 keys, at half of what the bare program carries: the same rate for all. commit: how long a COMMIT of the bare program takes, without the writes before it.',
      reference: 'no store',
      columns: [
        figure('p99', 'p99 ms', 2),
        figure('p50', 'p50 ms', 2),
        figure('p999', 'p99.9 ms', 2),
        figure('commit', 'p99 of a commit, ms', 2),
        RATE,
        CPU,
        BROKER,
        DATABASE,
      ],
      contenders: (['mississippi', 'no store', 'bare'] as const).map((name) => ({
        name,
        measure: (stage) => stage.latency(name),
      })),
    },
    {
      name: 'store-keys',
      title: 'The library beside stored keys',
      about:
        'An app starts, handles a message of one of the stored keys, and rests for five seconds. Tidying is what is done once a minute.',
      reference: `${FEW.toLocaleString('en')} stored keys`,
      columns: [
        figure('startUp', 'ms to the first ack', 0),
        figure('rss', 'RSS MB', 0),
        figure('idle', 'idle, CPU ms/s', 2),
        figure('idleDatabase', 'database idle, CPU ms/s', 2),
        figure('tidying', 'ms of tidying', 2),
      ],
      contenders: [FEW, MANY].map((stored) => ({
        name: `${stored.toLocaleString('en')} stored keys`,
        measure: (stage) => stage.startBeside(stored, Math.max(1_000, Math.round(IDLE * Math.min(1, scale)))),
      })),
    },
  ];
}

/** So many messages, after half as many that are not measured. */
function run(keys: number, count: number): StoreRun {
  return { keys, messages: count + (count >> 1), unmeasured: count >> 1, prefetch: prefetchOf(keys) };
}

/** With many keys less than is usual, or most of a run would be spent until as many have come as may be unacked. */
function prefetchOf(keys: number): number {
  return keys === 1 ? PREFETCH : 100;
}
