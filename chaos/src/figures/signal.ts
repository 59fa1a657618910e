import { cpus } from 'node:os';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { quantile } from '../statistics.js';
import { BenchProcess } from './bench-process.js';
import type { BenchPlan } from './bench-protocol.js';
import { CpuMeter } from './cpu.js';
import { spreadOf } from './texts.js';

const SIGNALS = 2_000;
const WARM_UP = 500;
const ROUNDS = 3;

const SHARDS = 32;
const KEYS = 100;

/** Milliseconds that each attempt waits; a signal to its key waits for it. */
const WORK = 5;

/** Messages per second to the keys that are signalled. */
const LOAD = 500;

interface Round {
  readonly loaded: boolean;
  /** Milliseconds of each signal. */
  readonly times: readonly number[];
  readonly busy: number;
}

/** How long a signal takes to a key that lives in another process. */
export async function signals(
  node: RabbitMqNode,
  options: Pick<BenchPlan, 'quorum' | 'heartbeat'>,
  say: (line: string) => void,
): Promise<string[]> {
  const { quorum, heartbeat } = options;
  const plan = { url: node.url, prefix: 'signal_', quorum, heartbeat, shards: SHARDS, keys: KEYS, work: WORK };
  const started: BenchProcess[] = [];
  const start = async (concurrency: number): Promise<BenchProcess> => {
    const bench = await BenchProcess.start({ ...plan, concurrency });
    started.push(bench);
    return bench;
  };
  try {
    const owner = await start(KEYS);
    const [publisher, caller] = [await start(0), await start(0)];
    // The first signal to a key starts its data updater.
    await caller.ask('signal', { times: WARM_UP });
    const rounds: Round[] = [];
    for (let round = 0; round < 2 * ROUNDS; round++) {
      const loaded = round % 2 === 1;
      await publisher.ask('load', { rate: loaded ? LOAD : 0 });
      const before = await owner.ask('status', {});
      const cpu = new CpuMeter();
      const begun = performance.now();
      const times = await caller.ask('signal', { times: SIGNALS });
      const seconds = (performance.now() - begun) / 1_000;
      const { handled } = await owner.ask('status', {});
      const rate = Math.round((handled - before.handled) / seconds);
      if (loaded && rate < LOAD / 2)
        throw new Error(`only ${rate} messages/s were handled while signals were measured`);
      rounds.push({ loaded, times, busy: cpu.busy() });
      const [p50, p99] = [quantile(times, 0.5).toFixed(2), quantile(times, 0.99).toFixed(2)];
      say(`signals beside ${rate} messages/s: p50 ${p50} ms, p99 ${p99} ms`);
    }
    return [
      `a signal to a key in another process: ${SIGNALS} one after the other in each of ${ROUNDS} rounds, ${KEYS} keys`,
      `  without messages:    ${textOf(rounds.filter(({ loaded }) => !loaded))}`,
      `  with ${LOAD} messages/s: ${textOf(rounds.filter(({ loaded }) => loaded))}`,
    ];
  } finally {
    for (const bench of started) bench.kill();
  }
}

function textOf(rounds: readonly Round[]): string {
  const at = (share: number): string =>
    spreadOf(
      rounds.map(({ times }) => quantile(times, share)),
      2,
      ' ms',
    );
  const busy = spreadOf(
    rounds.map(({ busy }) => busy),
    2,
  );
  return `p50 ${at(0.5)}; p99 ${at(0.99)}; of ${cpus().length} cores busy ${busy}`;
}
