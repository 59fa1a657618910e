import { type Column, CPU, figure, RATE, type Result } from '../harness/comparison.js';
import { medianOf } from '../harness/tables.js';
import { perUnit, WORK_KEYS } from '../rabbitmq/work.js';

/** What the library is meant to reach, as a figure of one comparison. */
export interface Target {
  readonly text: string;
  /** The comparison that it is read from. */
  readonly comparison: string;
  readonly bound: { readonly least: number } | { readonly most: number };
  readonly digits: number;
  readonly of: (result: Result) => number | undefined;
  /** Why a figure outside of the bound is good all the same. */
  readonly excuse?: (result: Result) => string | undefined;
}

const US = 'mississippi';

function ratio(result: Result, column: Column, above: string, below: string): number | undefined {
  const [over, under] = [medianOf(result, above, column), medianOf(result, below, column)];
  return over === undefined || under === undefined ? undefined : over / under;
}

function faster(text: string, comparison: string, peer: string, least: number): Target {
  return { text, comparison, bound: { least }, digits: 2, of: (result) => ratio(result, RATE, US, peer) };
}

function cost(text: string, comparison: string, above: string, below: string, most: number): Target {
  return { text, comparison, bound: { most }, digits: 2, of: (result) => ratio(result, CPU, above, below) };
}

const CORE = figure('core', '', 2);

/** As the contenders of store-keys are named. */
const [FEW, MANY] = ['1,000', '1,000,000'] as const;

/** A process that runs JavaScript on one thread cannot do more. */
function fullCore(result: Result): string | undefined {
  const cores = medianOf(result, US, CORE);
  return cores !== undefined && cores >= 0.95 ? 'a core is full' : undefined;
}

function handlers(keys: number): Target[] {
  const comparison = `work-${keys}`;
  const what = `5 ms handlers, ${keys.toLocaleString('en')} ${keys === 1 ? 'key' : 'keys'}`;
  const share: Target = {
    text: `${what}: share of min(keys, concurrency) / 5 ms`,
    comparison,
    bound: { least: 0.9 },
    digits: 2,
    of: (result) => medianOf(result, US, perUnit(keys)),
    excuse: fullCore,
  };
  return keys < 20 ? [share] : [faster(`${what}, × a serial consumer`, comparison, 'serial', 10), share];
}

export const TARGETS: readonly Target[] = [
  faster('Dispatch, 10,000 keys, × bare Subject + concatMap', 'dispatch-10000', 'subject', 0.7),
  faster('Dispatch, 10,000 keys, × fastq', 'dispatch-10000', 'fastq', 1),
  faster('Dispatch, 10,000 keys, × p-queue', 'dispatch-10000', 'p-queue', 2),
  faster('Dispatch, 10,000 keys, × async-mutex', 'dispatch-10000', 'async-mutex', 3),
  cost(
    'Cost per message, 1,000,000 live keys against 1,000',
    'live-keys',
    '1,000,000 live keys',
    '1,000 live keys',
    2.5,
  ),
  cost(
    'Cost per message, 100,000 new keys at once against live ones',
    'live-keys',
    'at once, new keys',
    'at once, live keys',
    3,
  ),
  cost('Cost per message in a burst of one key against a steady one', 'burst', US, `${US}, steady`, 1.5),
  {
    text: 'Memory per idle key, bytes of RSS',
    comparison: 'memory',
    bound: { most: 1_024 },
    digits: 0,
    of: (result) => medianOf(result, US, figure('rss', '', 0)),
  },
  faster('Consume, 10,000 keys, × bare amqplib', 'consume-10000', 'amqplib', 1),
  faster('Consume, one hot key, × bare amqplib', 'consume-hot', 'amqplib', 0.95),
  faster('Publish with confirms, × bare amqplib', 'publish', 'amqplib', 0.95),
  ...(['nest', 'golevelup'] as const).flatMap((peer) => [
    faster(`Consume, 10,000 keys, × ${peer}`, 'consume-10000', peer, 1),
    faster(`Consume, one hot key, × ${peer}`, 'consume-hot', peer, 1),
    faster(`Publish with confirms, × ${peer}`, 'publish', peer, 1),
  ]),
  ...WORK_KEYS.flatMap(handlers),
  {
    text: 'End to end at half load, p99 × bare amqplib',
    comparison: 'latency',
    bound: { most: 2 },
    digits: 2,
    of: (result) => ratio(result, figure('p99', '', 2), US, 'amqplib'),
  },
  {
    text: 'First message handled after the start, 128 shards, ms',
    comparison: 'start-up',
    bound: { most: 1_000 },
    digits: 0,
    of: (result) => medianOf(result, US, figure('first', '', 0)),
  },
  faster('Durable state, 10,000 keys, × a transaction per message (stretch 5)', 'store-10000', 'bare', 3),
  faster('Durable state, one hot key, × a serial transaction per message', 'store-hot', 'serial', 3),
  {
    text: 'From publishing to the ack, p99: share of that without a store and three commits',
    comparison: 'store-latency',
    bound: { most: 1 },
    digits: 2,
    of: commitsAllowed,
  },
  grows('Start-up', 'startUp'),
  grows('RSS', 'rss'),
  grows('Idle CPU', 'idle'),
];

/** p99 with a store as a share of what is allowed: p99 without one, and three times that of a bare commit. */
function commitsAllowed(result: Result): number | undefined {
  const p99 = figure('p99', '', 2);
  const [ours, without] = [medianOf(result, US, p99), medianOf(result, 'no store', p99)];
  const commit = medianOf(result, 'bare', figure('commit', '', 2));
  if (ours === undefined || without === undefined || commit === undefined) return undefined;
  return ours / (without + 3 * commit);
}

/** What must not grow with the stored keys; a fifth is within the spread of runs. */
function grows(what: string, name: string): Target {
  return {
    text: `${what}, 1,000,000 stored keys against 1,000`,
    comparison: 'store-keys',
    bound: { most: 1.2 },
    digits: 2,
    of: (result) => ratio(result, figure(name, '', 2), `${MANY} stored keys`, `${FEW} stored keys`),
  };
}
