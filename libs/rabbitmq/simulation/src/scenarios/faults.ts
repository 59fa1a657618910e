import { DROPPED, NOTICED, type Simulation } from '../simulation.js';
import type { Range } from '../time/dice.js';
import { Trial, type Scenario } from './scenario.js';

/** For how long things break, and how long it takes from one fault to the next. Milliseconds. */
const BREAKING = 60_000;
const BETWEEN: Range = [100, 3_000];

type Fault = (simulation: Simulation, left: number) => void;

const FAULTS: Readonly<Record<string, Fault>> = {
  kill: (simulation) => {
    simulation.dice.pick(simulation.serving).kill(NOTICED);
    simulation.start();
  },
  'kill the coordinator': (simulation) => {
    simulation.coordinator?.kill(NOTICED);
    simulation.start();
  },
  stop: (simulation) => {
    const victim = simulation.dice.pick(simulation.serving);
    victim.stop().catch((error: unknown) => void (victim.failure = error));
    simulation.start({ handOver: [500, 4_000] });
  },
  join: (simulation) => void simulation.start({ opening: [200, 2_000] }),
  'lose the consuming connection': ({ dice, serving }) => dice.pick(serving).lose('consuming', [1, 50]),
  'lose the publishing connection': ({ dice, serving }) => dice.pick(serving).lose('publishing', [1, 50]),
  freeze: (simulation, left) => {
    const victim = simulation.dice.pick(simulation.serving);
    victim.freeze(DROPPED);
    simulation.clock.after(Math.min(left, simulation.dice.between([500, 40_000])), () => victim.wake());
  },
  'freeze the coordinator': (simulation, left) => {
    const victim = simulation.coordinator;
    victim?.freeze(DROPPED);
    simulation.clock.after(Math.min(left, simulation.dice.between([500, 40_000])), () => victim?.wake());
  },
  'delete the queue': ({ broker }) => broker.coordination.delete(),
  alarm: (simulation) => {
    simulation.alarm(true);
    simulation.clock.after(simulation.dice.between([500, 8_000]), () => simulation.alarm(false));
  },
  stranger: (simulation, left) => {
    const { unserved, dice, clock } = simulation;
    const leave = simulation.stranger(unserved);
    clock.after(Math.min(left, dice.between([1_000, 20_000])), leave);
  },
};

/** Things break by chance for a minute, and then no more. */
export const faults: Scenario = async (size) => {
  const trial = await Trial.risen(size);
  const { simulation } = trial;
  const { clock, dice } = simulation;
  const end = clock.exact + BREAKING;
  while (clock.exact < end) {
    const fault = FAULTS[dice.pick(Object.keys(FAULTS))]!;
    if (simulation.serving.length > 1) fault(simulation, end - clock.exact);
    await simulation.advance(dice.between(BETWEEN));
  }
  await simulation.advance(10_000);
  await trial.settle(BREAKING);
  return trial.checks;
};
