import { type Comparison, type Contender, CPU, figure, RATE } from '../harness/comparison.js';
import { runChild } from '../harness/run-child.js';
import type { ContenderName } from './contenders.js';
import type { ProcessPlan } from './measure.js';

const ALL: readonly ContenderName[] = ['mississippi', 'subject', 'promise-chain', 'fastq', 'p-queue', 'async-mutex'];
const ANSWERING: readonly ContenderName[] = ['mississippi', 'fastq', 'p-queue', 'async-mutex', 'promise-chain'];

const RSS = figure('rssMegabytes', 'RSS MB', 0);
const BYTES_PER_KEY = figure('rss', 'RSS bytes/key', 0);
const HEAP_PER_KEY = figure('heap', 'heap bytes/key', 0);

const SMALL_WAVE = 1_000;

/** What RabbitMQ may have given to 128 shards before anything is settled, with the default prefetch of 300. */
const WINDOW = 128 * 300;

type Given = Partial<ProcessPlan> & Pick<ProcessPlan, 'keys' | 'messages'>;

/** @param scale shrinks what is handled, not the number of keys whose effect is looked at */
export function processComparisons(scale: number): Comparison[] {
  const scaled = (count: number): number => Math.max(1_000, Math.round(count * scale));

  const contender = (name: string, contender: ContenderName, given: Given): Contender<unknown> => {
    const wave = given.keys === 1 ? 100 : SMALL_WAVE;
    const plan: ProcessPlan = {
      payload: 'json',
      answers: false,
      wave,
      warmUp: scaled(200_000),
      state: 'live',
      ...given,
      contender,
    };
    return { name, measure: () => runChild({ case: 'process', ...plan }) };
  };
  const each = (names: readonly ContenderName[], given: Given): Contender<unknown>[] =>
    names.map((name) => contender(name, name, given));

  const dispatch = (keys: number, suffix = '', more: Partial<ProcessPlan> = {}): Comparison => {
    const wave = more.wave ?? (keys === 1 ? 100 : Math.min(keys, WINDOW));
    return {
      name: `dispatch-${keys}${suffix}`,
      title: `Dispatch, ${keys.toLocaleString('en')} ${keys === 1 ? 'key' : 'keys'}, ${more.payload ?? 'json'}`,
      about:
        keys === 1
          ? 'Waves of 100 messages of one key.'
          : `Waves of ${wave.toLocaleString('en')} messages, each of another key. Every key is live before the clock starts.`,
      reference: 'subject',
      columns: [RATE, CPU, RSS],
      contenders: each(ALL, { keys, messages: scaled(500_000), wave, ...more }),
    };
  };

  const burst = scaled(200_000);
  const newKeys = scaled(100_000);
  return [
    dispatch(1),
    dispatch(1_000),
    dispatch(10_000),
    dispatch(10_000, '-waves', { wave: SMALL_WAVE }),
    dispatch(10_000, '-bytes', { payload: 'bytes' }),
    dispatch(1_000_000, '', { warmUp: 1_000_000 }),
    {
      name: 'direct-10000',
      title: 'A promise for each message, 10,000 keys',
      about: '`DataUpdaterService.handleMessage(key, { payload })` beside the calls of the others that answer.',
      reference: 'fastq',
      columns: [RATE, CPU],
      contenders: each(ANSWERING, {
        keys: 10_000,
        messages: scaled(500_000),
        wave: 10_000,
        payload: 'bytes',
        answers: true,
      }),
    },
    {
      name: 'live-keys',
      title: 'Cost per message by the number of live keys',
      about: 'Waves of 1,000, round robin; `new` and `live` at the end: one message for each of many keys at once.',
      reference: '1,000 live keys',
      columns: [CPU, RATE, RSS],
      contenders: [
        contender('1,000 live keys', 'mississippi', { keys: 1_000, messages: scaled(500_000) }),
        contender('1,000,000 live keys', 'mississippi', {
          keys: 1_000_000,
          messages: scaled(500_000),
          warmUp: 1_000_000,
        }),
        contender('at once, live keys', 'mississippi', { keys: newKeys, messages: newKeys, wave: newKeys }),
        contender('at once, new keys', 'mississippi', {
          keys: newKeys,
          messages: newKeys,
          wave: newKeys,
          state: 'new',
        }),
      ],
    },
    {
      name: 'burst',
      title: `A burst of ${burst.toLocaleString('en')} messages of one key`,
      about: 'All of them dispatched at once, beside waves of 100 of the same key (`steady`).',
      reference: 'mississippi, steady',
      columns: [CPU, RATE],
      contenders: [
        contender('mississippi, steady', 'mississippi', { keys: 1, messages: burst }),
        ...each(ALL, { keys: 1, messages: burst, wave: burst }),
      ],
    },
    {
      name: 'memory',
      title: 'Memory per idle key',
      about:
        'Growth over 300,000 keys that handled one message each, after garbage collection; key and state included.',
      reference: 'mississippi',
      columns: [BYTES_PER_KEY, HEAP_PER_KEY],
      contenders: each(ALL, { keys: 300_000, messages: 300_000, state: 'idle' }),
    },
  ];
}
