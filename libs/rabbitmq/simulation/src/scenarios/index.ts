import { alarm, deletedQueue, freeze, lostConnections, motley, startInAlarm, stranger } from './circumstances.js';
import { faults } from './faults.js';
import { coordinatorDeath, death, doubling, hastyRestart, join, manyDeaths, rollingRestart, start } from './members.js';
import { rest } from './rest.js';
import type { Scenario } from './scenario.js';

/** All, by what happens in them. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  start,
  join,
  doubling,
  death,
  'death of the coordinator': coordinatorDeath,
  'death of a tenth': manyDeaths,
  'rolling restart': rollingRestart,
  'hasty rolling restart': hastyRestart,
  freeze,
  'lost connections': lostConnections,
  'deleted queue': deletedQueue,
  alarm,
  'start in an alarm': startInAlarm,
  stranger,
  motley,
  faults,
  rest,
};
