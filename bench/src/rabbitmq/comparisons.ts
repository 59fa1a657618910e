import { type Comparison, type Contender, CPU, figure, RATE } from '../harness/comparison.js';
import type { BenchBroker, ConsumerRun } from './bench-broker.js';
import type { ConsumerName } from './consumers.js';
import type { PublisherName } from './publishers.js';
import { perUnit, WORK, WORK_KEYS } from './work.js';

const ALL = ['mississippi', 'amqplib', 'nest', 'golevelup'] as const satisfies readonly (ConsumerName &
  PublisherName)[];
const NO_ORDER = 'Only mississippi orders by key.';

const BROKER = figure('broker', 'broker CPU µs/message', 1);
const CORE = figure('core', 'cores', 2);

/** Unconfirmed messages at once. */
const WINDOW = 1_000;

type OnBroker = Comparison<BenchBroker>;

export function rabbitComparisons(scale: number): OnBroker[] {
  const scaled = (count: number): number => Math.max(1_000, Math.round(count * scale));

  const consumer = (name: ConsumerName, run: Omit<ConsumerRun, 'consumer'>): Contender<BenchBroker> => ({
    name,
    measure: (broker) => broker.consume({ consumer: name, ...run }),
  });
  const consumers = (run: Omit<ConsumerRun, 'consumer'>): Contender<BenchBroker>[] =>
    ALL.map((name) => consumer(name, run));

  const consume = (name: string, title: string, about: string, run: Omit<ConsumerRun, 'consumer'>): OnBroker => ({
    name,
    title,
    about: `${about} ${NO_ORDER}`,
    reference: 'amqplib',
    columns: [RATE, CPU, BROKER],
    contenders: consumers({ ...run, warmUp: run.messages / 2 }),
  });

  return [
    consume(
      'consume-10000',
      'Consume, 10,000 keys',
      'From filled queues, after half as many messages that are not counted. More wait behind those that are.',
      { keys: 10_000, messages: scaled(40_000) },
    ),
    consume('consume-hot', 'Consume, one hot key', 'The same, but all messages have one key and lie in one queue.', {
      keys: 1,
      messages: scaled(40_000),
    }),
    consume('consume-quorum', 'Consume, 10,000 keys, quorum queues', 'As consume-10000, on a single node.', {
      keys: 10_000,
      messages: scaled(40_000),
      type: 'quorum',
    }),
    publish(scaled(60_000)),
    {
      name: 'latency',
      title: 'End to end at half load',
      about: `From publishing to the start of the handler, while another process publishes evenly, at half of what a bare publisher and the slowest of these consumers carry side by side. ${NO_ORDER}`,
      reference: 'amqplib',
      columns: [figure('p99', 'p99 ms', 2), figure('p50', 'p50 ms', 2), figure('p999', 'p99.9 ms', 2), RATE, CPU],
      contenders: ALL.map((name) => ({ name, measure: (broker) => broker.latency(name, ALL) })),
    },
    ...WORK_KEYS.map((keys) => work(keys, consumer, scaled)),
    {
      name: 'start-up',
      title: 'Start-up, 128 shards',
      about:
        'One message waits in each queue. From the first line of the app, its modules loaded, to the first message handled.',
      reference: 'amqplib',
      columns: [
        figure('first', 'ms to the first message', 0),
        figure('all', 'ms to all 128', 0),
        figure('sinceProcess', 'ms since the process began', 0),
      ],
      contenders: consumers({ keys: 10_000, messages: 1_000, look: 'startUp' }),
    },
  ];
}

function publish(messages: number): OnBroker {
  return {
    name: 'publish',
    title: 'Publish with confirms',
    about: `${WINDOW.toLocaleString('en')} unconfirmed messages at once on every side, round robin over 10,000 keys.`,
    reference: 'amqplib',
    columns: [RATE, CPU, BROKER],
    contenders: ALL.map((name) => ({
      name,
      measure: (broker) => broker.publish(name, messages, WINDOW),
    })),
  };
}

function work(
  keys: number,
  consumer: (name: ConsumerName, run: Omit<ConsumerRun, 'consumer'>) => Contender<BenchBroker>,
  scaled: (count: number) => number,
): OnBroker {
  const few = 600;
  const messages = keys === 1 ? few : Math.min(scaled(40_000), keys * 400);
  return {
    name: `work-${keys}`,
    title: `Handlers that take 5 ms, ${keys.toLocaleString('en')} ${keys === 1 ? 'key' : 'keys'}`,
    about: `serial: a bare program that handles one message after the other. ${NO_ORDER}`,
    reference: 'serial',
    columns: [RATE, perUnit(keys), CORE, CPU],
    contenders: [
      consumer('serial', { keys, messages: few, work: WORK }),
      ...ALL.map((name) => consumer(name, { keys, messages, work: WORK })),
    ],
  };
}
