import type { Noticed, SimulatedProcess } from '../process/simulated-process.js';
import { Trial, type Scenario } from './scenario.js';

/** How soon a dead process's shards are to be served again. Milliseconds. */
const SOON = 1_500;

/** All start within half a second. */
export const start: Scenario = async (size) => {
  const trial = new Trial(size);
  const { simulation } = trial;
  simulation.startMany(size.processes, 500);
  await simulation.advance(501);
  await trial.settle();
  trial.checkRefusals();
  return trial.checks;
};

/** One more starts. */
export const join: Scenario = async (size) => {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  simulation.start();
  await simulation.advance(1_000);
  await trial.settle();
  await simulation.advance(5_000);
  trial.checkJoin();
  trial.checkRefusals();
  return trial.checks;
};

/** As many start as are there, one soon after the other: each moves no more than its own share. */
export const doubling: Scenario = async (size) => {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  simulation.startMany(size.processes, 2_000);
  await simulation.advance(2_001);
  await trial.settle();
  let shares = 0;
  for (let there = size.processes + 1; there <= 2 * size.processes; there++) shares += size.shards / there;
  trial.atMost('join', 1.1 * shares, simulation.auditor.moves.length);
  trial.checkRefusals();
  return trial.checks;
};

/** A process dies. */
export const death: Scenario = async (size) =>
  dying(size, ({ simulation }) => {
    const others = simulation.serving.filter(({ isCoordinating }) => !isCoordinating);
    return [simulation.dice.pick(others)];
  });

/** The one that coordinates dies. */
export const coordinatorDeath: Scenario = async (size) => dying(size, ({ simulation }) => [simulation.coordinator!]);

/**
 * A tenth of them die at once, the one that coordinates too: the broker learns of the end of its connections before it does of
 * the others', which still seem to be consumed when the next coordinator looks.
 */
export const manyDeaths: Scenario = async (size) =>
  dying(size, ({ simulation }) => {
    const { coordinator } = simulation;
    const others = simulation.serving.filter((process) => process !== coordinator);
    return [coordinator!, ...others.slice(0, Math.floor(size.processes / 10))];
  });

/** When the broker learns of the end of the first one, and of others. Milliseconds. */
const FIRST: Noticed = { consuming: [10, 20], publishing: [10, 50] };
const LATER: Noticed = { consuming: [45, 50], publishing: [10, 15] };

async function dying(size: Parameters<Scenario>[0], victims: (trial: Trial) => readonly SimulatedProcess[]) {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  const { auditor, clock } = simulation;
  const diedAt = clock.exact;
  for (const [index, victim] of victims(trial).entries()) victim.kill(index === 0 ? FIRST : LATER);
  await simulation.advance(1_000);
  await trial.settle();
  await simulation.advance(5_000);
  const late = auditor.gaps.map(({ from, milliseconds }) => from + milliseconds - diedAt);
  trial.atMost('death', SOON, simulation.unserved.length === 0 ? Math.max(0, ...late) : Infinity);
  trial.checkRefusals();
  return trial.checks;
}

/** How many are restarted at most: each of them costs seconds. */
const RESTARTS = 60;

/** Each ends as it should and another starts in its place, one after the other: each shard goes away once and comes back once. */
export const rollingRestart: Scenario = async (size) => {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  return restartAll(trial, () => simulation.advance(simulation.dice.between([1_500, 3_000])));
};

/**
 * The same in haste: it begins as soon as all have started, and goes on as soon as shares are level, while what is above somebody's share
 * rounded down may still be on its way back.
 */
export const hastyRestart: Scenario = async (size) => {
  const trial = new Trial(size);
  const { simulation } = trial;
  simulation.startMany(size.processes, 500);
  await simulation.advance(501);
  await trial.settle();
  simulation.auditor.reset();
  return restartAll(trial, () => trial.settle());
};

/** @param rest between the start of one and the end of the next */
async function restartAll(trial: Trial, rest: () => Promise<unknown>): ReturnType<Scenario> {
  const { simulation } = trial;
  for (const process of simulation.serving.slice(0, RESTARTS)) {
    process.stop().catch((error: unknown) => void (process.failure = error));
    await simulation.until(() => (process.clock.isDead ? [] : ['it has not ended yet']), 30_000);
    await simulation.advance(simulation.dice.between([200, 1_500]));
    simulation.start();
    await rest();
  }
  await trial.settle();
  trial.atMost('restart', 0, simulation.auditor.movedMoreThan(2), 'shards moved more than twice');
  trial.checkRefusals();
  return trial.checks;
}
