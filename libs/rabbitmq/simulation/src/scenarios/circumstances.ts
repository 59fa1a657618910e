import { NOTICED } from '../simulation.js';
import { Trial, type Scenario, type Size } from './scenario.js';

/** A process freezes; the broker drops its connections, that which publishes later by two seconds; and it wakes. */
export const freeze: Scenario = async (size) => {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  const victim = simulation.dice.pick(simulation.serving);
  victim.freeze({ consuming: [26_000, 26_500], publishing: [28_500, 29_000] });
  await simulation.advance(29_000);
  const { auditor } = simulation;
  await simulation.until(() => (simulation.unserved.length === 0 ? [] : ['not all are served']), 5_000).catch(() => 0);
  const longest = Math.max(0, ...auditor.gaps.map(({ milliseconds }) => milliseconds));
  trial.atMost('death', 1_500, simulation.unserved.length === 0 ? longest : Infinity);
  victim.wake();
  await simulation.advance(1_000);
  await trial.settle();
  trial.checkRefusals();
  return trial.checks;
};

/** All lose their connections at once, as when the broker restarts. */
export const lostConnections: Scenario = async (size) => {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  for (const process of simulation.serving)
    for (const which of ['consuming', 'publishing'] as const) process.lose(which, [0, 50]);
  await simulation.advance(1_000);
  await trial.settle();
  trial.checkRefusals();
  return trial.checks;
};

/** The coordinator's queue is deleted, with all reports, and a process joins. */
export const deletedQueue: Scenario = async (size) => {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  simulation.broker.coordination.delete();
  // Sooner than the others report again.
  await simulation.advance(2_000);
  trial.atMost('still', 0, simulation.auditor.moves.length);
  simulation.start();
  await simulation.advance(1_000);
  await trial.settle();
  trial.checkJoin();
  trial.checkRefusals();
  return trial.checks;
};

/**
 * How long it takes without a coordinator until a process's shards are found. All together look at 200 a second, each at random,
 * so that a shard waits for its look a second for each 200; the last of many waits longer by their logarithm. Milliseconds.
 */
function longestSweep({ shards, processes }: Size): number {
  const turn = (shards / 200) * 1_000;
  const looks = Math.max(500, processes * 10);
  return turn * (Math.log(shards / processes) + 6) + 1_800 + 4 * looks;
}

/** Nothing can be published, and a process dies: the others see for themselves that nobody serves its shards. */
export const alarm: Scenario = async (size) => {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  simulation.alarm(true);
  await simulation.advance(1_000);
  simulation.dice.pick(simulation.serving).kill(NOTICED);
  await simulation.advance(100);
  const within = longestSweep(size);
  await simulation.until(() => (simulation.unserved.length === 0 ? [] : ['not all are served']), within).catch(() => 0);
  trial.atMost('served', 0, simulation.unserved.length);
  simulation.alarm(false);
  await trial.settle();
  return trial.checks;
};

/** Nothing can be published from the start. */
export const startInAlarm: Scenario = async (size) => {
  const trial = new Trial(size);
  const { simulation } = trial;
  simulation.alarm(true);
  simulation.startMany(size.processes, 500);
  await simulation.advance(longestSweep(size));
  trial.atMost('served', 0, simulation.unserved.length);
  const seconds = simulation.clock.exact / 1_000;
  const looks = simulation.broker.operations.of('look at a shard');
  // A shard that seems free is looked at again before it is taken, by more than one where several have found it.
  trial.atMost('alone', 200 * seconds + 3 * size.shards, looks);
  simulation.alarm(false);
  await trial.settle();
  return trial.checks;
};

/** A stranger has half of the shards, and leaves later. */
export const stranger: Scenario = async (size) => {
  const trial = new Trial(size);
  const { simulation } = trial;
  const leave = simulation.stranger(Array.from({ length: Math.floor(size.shards / 2) }, (_, index) => 2 * index));
  await trial.rise();
  await simulation.advance(20_000);
  trial.atMost('still', 0, simulation.auditor.moves.length);
  leave();
  // Those that strangers hold are looked at ten by ten, every 200 ms.
  await trial.settle((size.shards / 2 / 10) * 200);
  trial.checkRefusals();
  return trial.checks;
};

/** Some have other weights, may own few, open slowly or hand over slowly, or cannot open some. */
export const motley: Scenario = async (size) => {
  const trial = new Trial(size);
  const { simulation } = trial;
  const { dice } = simulation;
  const share = size.shards / size.processes;
  for (let index = 0; index < size.processes; index++) {
    const broken = new Set(index % 5 === 4 ? [dice.below(size.shards), dice.below(size.shards)] : []);
    simulation.start({
      weight: 1 + (index % 3),
      maxShards: index % 4 === 3 ? Math.ceil(share / 2) : Infinity,
      opening: index % 7 === 0 ? [500, 2_000] : [1, 20],
      handOver: index % 6 === 0 ? [1_000, 5_000] : [1, 50],
      unable: (shard) => broken.has(shard),
    });
    await simulation.advance(dice.between([0, 20]));
  }
  await trial.settle();
  trial.checkRefusals();
  return trial.checks;
};
