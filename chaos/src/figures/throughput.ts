import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { fewestIn, messagesIn } from '../queues.js';
import { median } from '../statistics.js';
import { BenchProcess } from './bench-process.js';
import type { BenchPlan, BenchStatus } from './bench-protocol.js';
import { CpuMeter } from './cpu.js';
import { spreadOf } from './texts.js';

const PROCESSES = [1, 2, 4];
const REPETITIONS = 3;

const SHARDS = 32;
const KEYS = 800;

/** Milliseconds that each attempt waits. */
const WORK = 5;

/**
 * Attempts at once in a process: so few that it waits most of the time, and that four processes leave room on two cores.
 * What is measured is whether processes add up, not how much one carries.
 */
const CONCURRENCY = 5;

/** Cores that must be idle, or processes take them from one another and growth tells nothing. */
const ROOM = 0.3;

/** So much lies in the queues before each step that none runs dry within it. */
const BACKLOG = 60_000;

const LOOK = 100;
const PATIENCE = 30_000;

/** From level shares until the measurement begins, and how long it lasts. Milliseconds. */
const WARM_UP = 1_500;
const WINDOW = 4_000;

interface Step {
  readonly processes: number;
  /** Messages per second. */
  readonly rate: number;
  /** Cores that were busy, and those of them that the workers used. */
  readonly machine: number;
  readonly workers: number;
}

/** How many messages 1, 2 and 4 processes handle, while they drain what was published before. */
export async function throughput(
  node: RabbitMqNode,
  options: Pick<BenchPlan, 'quorum' | 'heartbeat'>,
  say: (line: string) => void,
): Promise<string[]> {
  const { quorum, heartbeat } = options;
  const plan = { url: node.url, prefix: 'throughput_', quorum, heartbeat, shards: SHARDS, keys: KEYS, work: WORK };
  const publisher = await BenchProcess.start({ ...plan, concurrency: 0 });
  const steps: Step[] = [];
  try {
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      // Every other time the other way round, so that a machine that slows down favours nobody.
      const turns = repetition % 2 === 0 ? PROCESSES : PROCESSES.toReversed();
      for (const processes of turns) {
        const left = await messagesIn(node.url, plan.prefix, SHARDS);
        await publisher.ask('publish', { messages: BACKLOG - left });
        const step = await measure(processes, { ...plan, concurrency: CONCURRENCY });
        say(`${processes} processes: ${Math.round(step.rate)} messages/s, ${coresOf([step])}`);
        steps.push(step);
      }
    }
  } finally {
    publisher.kill();
  }
  return textsOf(steps);
}

async function measure(processes: number, plan: BenchPlan): Promise<Step> {
  const workers = await Promise.all(Array.from({ length: processes }, () => BenchProcess.start(plan)));
  try {
    await level(workers);
    await sleep(WARM_UP);
    const cpu = new CpuMeter();
    const before = await statusOf(workers);
    const since = performance.now();
    await sleep(WINDOW);
    const after = await statusOf(workers);
    const milliseconds = performance.now() - since;
    const machine = cpu.busy();
    if ((await fewestIn(plan.url, plan.prefix, plan.shards)) === 0)
      throw new Error('a queue ran dry while throughput was measured: the backlog must be larger');
    if (!areLevel(after)) throw new Error('shards moved while throughput was measured');
    const handled = sum(after, 'handled') - sum(before, 'handled');
    const used = sum(after, 'cpu') - sum(before, 'cpu');
    return { processes, rate: (handled * 1_000) / milliseconds, machine, workers: used / milliseconds };
  } finally {
    await Promise.all(workers.map((worker) => worker.leave()));
  }
}

async function level(workers: readonly BenchProcess[]): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!areLevel(await statusOf(workers))) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE} ms in vain until shares are level`);
    await sleep(LOOK);
  }
}

function areLevel(all: readonly BenchStatus[]): boolean {
  const counts = all.map(({ shards }) => shards);
  return sum(all, 'shards') === SHARDS && Math.max(...counts) - Math.min(...counts) <= 1;
}

function statusOf(workers: readonly BenchProcess[]): Promise<BenchStatus[]> {
  return Promise.all(workers.map((worker) => worker.ask('status', {})));
}

function sum(all: readonly BenchStatus[], what: keyof BenchStatus): number {
  return all.reduce((sum, status) => sum + status[what], 0);
}

function textsOf(steps: readonly Step[]): string[] {
  const of = (processes: number): Step[] => steps.filter((step) => step.processes === processes);
  const rates = (processes: number): number[] => of(processes).map(({ rate }) => rate);
  const growth = PROCESSES.slice(1).map((processes) => {
    // Steps of one repetition are compared with one another.
    const bases = steps.filter((step) => step.processes * 2 === processes);
    const ratios = of(processes).map(({ rate }, repetition) => rate / bases[repetition]!.rate);
    const full = [...bases, ...of(processes)].filter(({ machine }) => machine > cpus().length - ROOM).length;
    const remark = full > 0 ? ` (no room on the machine in ${full} of ${2 * ratios.length} steps)` : '';
    return `  ${processes / 2} to ${processes} processes: ${spreadOf(ratios, 2)}-fold${remark}`;
  });
  return [
    `messages handled: handlers wait ${WORK} ms, ${CONCURRENCY} attempts at once a process, ${SHARDS} shards, ${KEYS} keys,`,
    `  a backlog of ${BACKLOG}, ${WINDOW / 1_000} s each, ${REPETITIONS} repetitions, ${cpus().length} cores`,
    ...PROCESSES.map((processes) => {
      return `  ${processes} process${processes > 1 ? 'es' : ''}: ${spreadOf(rates(processes), 0, '/s')}; ${coresOf(of(processes))}`;
    }),
    ...growth,
  ];
}

function coresOf(steps: readonly Step[]): string {
  const machine = median(steps.map(({ machine }) => machine)).toFixed(2);
  const workers = median(steps.map(({ workers }) => workers)).toFixed(2);
  return `${machine} of ${cpus().length} cores busy, ${workers} with the workers`;
}
