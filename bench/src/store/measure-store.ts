import type { ConsumeMessage } from 'amqplib';
import { type Measurement, Stopwatch } from '../harness/measurement.js';
import { now, type Reading } from '../rabbitmq/reading.js';
import { watchAcks } from './acks.js';
import { PartyClock, type Parties } from './parties.js';
import { type ProgramName, PROGRAMS, type ProgramSetup } from './programs.js';
import { jobsFor, type QueueName, QUEUES } from './queue-programs.js';

/** One run of a program that keeps states, in a process of its own. */
export interface StorePlan extends ProgramSetup {
  readonly program: ProgramName | QueueName;
  readonly parties: Parties;
  /** URL of Redis. */
  readonly redis?: string;
  readonly keys: number;
  /** Messages after which the run is over. */
  readonly messages: number;
  /** The first of them, which are not measured. */
  readonly unmeasured: number;
  /** `rate`: from one ack to another. `latency`: from publishing to the ack. */
  readonly look: 'rate' | 'latency';
}

/** @param ready called when the program takes messages */
export async function measureStore(plan: StorePlan, ready: () => void): Promise<Measurement> {
  const { program, url, prefix } = plan;
  if (isQueue(program)) return measureQueue(plan, program);
  const { settled, measured } = plan.look === 'rate' ? rate(plan) : latency(plan);
  await watchAcks(url, prefix, settled);
  const writes = await PROGRAMS[program](plan);
  ready();
  const measurement = await measured;
  const commits = writes()
    ?.commits.slice(plan.unmeasured)
    .sort((a, b) => a - b);
  if (commits === undefined || commits.length === 0) return measurement;
  return { ...measurement, figures: { ...measurement.figures, commit: quantile(commits, 0.99) } };
}

function isQueue(program: StorePlan['program']): program is QueueName {
  return Object.hasOwn(QUEUES, program);
}

async function measureQueue(plan: StorePlan, program: QueueName): Promise<Measurement> {
  const { keys, messages, database, schema, redis = '' } = plan;
  const { count, measured } = counted(plan);
  const queue = await QUEUES[program]({ database, schema, redis, keys, handled: count });
  // Whoever is behind finds as much waiting at the end as was measured.
  await queue.fill(jobsFor(keys, messages + (messages - plan.unmeasured)));
  await queue.start();
  return measured;
}

interface Observer {
  readonly settled: (messages: readonly ConsumeMessage[]) => void;
  readonly measured: Promise<Measurement>;
}

function rate(plan: StorePlan): Observer {
  const { count, measured } = counted(plan);
  return { settled: ({ length }) => count(length), measured };
}

/** Acks come in lots: the clock runs from the lot that ends the warm-up to the one that ends the run. */
function counted({ messages, unmeasured, parties }: StorePlan) {
  let done = (_measurement: Measurement): void => undefined;
  const measured = new Promise<Measurement>((resolve) => {
    done = resolve;
  });
  let settled = 0;
  let started: { readonly watch: Stopwatch; readonly clock: PartyClock; readonly at: number } | undefined;
  const count = (more: number): void => {
    const before = settled;
    settled += more;
    if (started === undefined) {
      if (settled >= unmeasured) started = { watch: new Stopwatch(), clock: new PartyClock(parties), at: settled };
    } else if (before < messages && settled >= messages) {
      const handled = settled - started.at;
      const measurement = started.watch.stop(handled);
      const others = Object.entries(started.clock.stop()).map(([party, time]) => [party, time / handled]);
      done({ ...measurement, figures: Object.fromEntries(others) as Record<string, number> });
    }
  };
  return { count, measured };
}

function latency({ messages, unmeasured, parties }: StorePlan): Observer {
  let done = (_measurement: Measurement): void => undefined;
  const measured = new Promise<Measurement>((resolve) => {
    done = resolve;
  });
  const waits: number[] = [];
  let settled = 0;
  let started: { readonly watch: Stopwatch; readonly clock: PartyClock } | undefined;
  return {
    measured,
    settled(lot) {
      const acked = now();
      for (const { content } of lot) {
        if (settled++ < unmeasured) continue;
        started ??= { watch: new Stopwatch(), clock: new PartyClock(parties) };
        waits.push((acked - (JSON.parse(content.toString()) as Reading).sent) / 1_000);
        if (settled !== messages) continue;
        const measurement = started.watch.stop(waits.length);
        const others = Object.entries(started.clock.stop()).map(([party, time]) => [party, time / waits.length]);
        waits.sort((a, b) => a - b);
        const shares = { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), p999: quantile(waits, 0.999) };
        done({ ...measurement, figures: { ...Object.fromEntries(others), ...shares } });
      }
    },
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
