import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@mississippi/core/transport';
import { postgres } from '@mississippi/postgres';
import { ConsoleLogger } from '@nestjs/common';
import { type Measurement, Stopwatch } from '../harness/measurement.js';
import { SHARDS } from '../process/keys.js';
import { now } from '../rabbitmq/reading.js';
import { watchAcks } from './acks.js';
import { PartyClock, type Parties } from './parties.js';
import { openApp, type ProgramSetup } from './programs.js';

/** One run of the library beside so many stored keys, in a process of its own. */
export interface StoredPlan extends Omit<ProgramSetup, 'readings'> {
  readonly parties: Parties;
  /** Milliseconds in which nothing happens. */
  readonly idle: number;
}

const TIDYINGS = 5;

/** From the start of the app to the ack of a message that waits for a stored key; then what an idle app costs. */
export async function measureStored(plan: StoredPlan): Promise<Measurement> {
  const { url, prefix, parties, idle } = plan;
  let acked = (): void => undefined;
  const first = new Promise<void>((resolve) => {
    acked = resolve;
  });
  await watchAcks(url, prefix, () => acked());
  const watch = new Stopwatch();
  const from = now();
  await openApp(plan, true);
  await first;
  const startUp = (now() - from) / 1_000;
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { rss } = process.memoryUsage();
  const clock = new PartyClock(parties);
  const resting = new Stopwatch();
  await sleep(idle);
  const { cpu, milliseconds } = resting.stop(1);
  const { database = 0 } = clock.stop();
  const perSecond = (microseconds: number): number => microseconds / milliseconds;
  return watch.stop(1, {
    startUp,
    rss: rss / 2 ** 20,
    idle: perSecond(cpu),
    idleDatabase: perSecond(database),
    tidying: await tidying(plan),
  });
}

/** What is done once a minute, by a second connection. Milliseconds, the median. */
async function tidying({ database, schema }: StoredPlan): Promise<number> {
  const connection = await postgres({ connectionString: database, schema }).connect({
    instance: 'default',
    logger: new ConsoleLogger(),
    keyText: String,
    clock: systemClock,
    shards: { transport: 'rabbitmq', totalCount: SHARDS, hash: 'phash2' },
    exclusive: false,
    inboxHorizon: 86_400_000,
    settleTime: 1_800_000,
  });
  const times: number[] = [];
  for (let round = 0; round < TIDYINGS; round++) {
    const from = now();
    await connection.maintain([]);
    times.push((now() - from) / 1_000);
  }
  await connection.close();
  return times.sort((a, b) => a - b)[TIDYINGS >> 1]!;
}
