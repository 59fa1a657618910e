import { keyText } from '@mississippi/history';
import type { Broken, Chronicle } from './chronicle.js';
import { settled } from '../support/fake-clock.js';
import { HANDLER_TIMEOUT, type Scenario } from './scenario.js';
import type { TestProcess } from './test-process.js';
import { watchDirectMessages, World } from './world.js';

/** Rounds of a second each in which a healed world must come to rest. */
const MOST_ROUNDS = 60;

/** A promise of the specification was broken; the message tells which, and what led to it. */
export class ViolationError extends Error {
  readonly broken: ReadonlySet<Broken>;

  constructor({ violations, log }: Chronicle) {
    super(`${violations.map(({ text }) => text).join('\n')}\n\n${log}`);
    this.broken = new Set(violations.map(({ promise }) => promise));
  }
}

/** @throws {ViolationError} where the engine broke a promise */
export async function runScenario({ settings, turnouts, reactions, steps }: Scenario): Promise<void> {
  const world = new World(settings, turnouts, reactions);
  const unwatch = watchDirectMessages(() => world);
  try {
    await world.start();
    for (const { action, pause } of steps) {
      const acted = world.act(action);
      if (acted !== undefined) await acted;
      if (pause === 'microtask') await Promise.resolve();
      if (pause === 'rest') await settled();
      throwViolations(world);
    }
    await comeToRest(world);
    await deactivate(world);
    await shutDown(world);
  } finally {
    unwatch();
  }
}

async function comeToRest(world: World): Promise<void> {
  world.note('heal');
  await world.heal();
  for (let round = 0; round < MOST_ROUNDS && !world.rests; round++) {
    await world.clock.advance(1_000);
    await world.heal();
  }
  if (!world.rests) {
    const status = world.working.map(({ name, engine }) => `${name} ${JSON.stringify(engine.status())}`);
    const unanswered = world.stillAwaited.map((text) => `unanswered: ${text}`);
    world.chronicle.violation('stuck', ['it does not come to rest', ...unanswered, ...status].join('; '));
  }
  throwViolations(world);
}

/** What is idle long enough must leave nothing behind. */
async function deactivate(world: World): Promise<void> {
  await world.clock.advance(30_000 + 2 * HANDLER_TIMEOUT);
  world.idled();
  for (const process of world.working) checkNothingKept(world, process);
  throwViolations(world);
}

async function shutDown(world: World): Promise<void> {
  for (const process of world.working) process.stop();
  await world.clock.advance(20_000);
  for (const process of world.processes) {
    const { name, alive, stopped, timers } = process;
    if (alive && !stopped) world.chronicle.violation('stuck', `${name} does not stop`);
    if (timers > 0) world.chronicle.violation('kept', `${name} left ${timers} timers`);
  }
  world.chronicle.end();
  throwViolations(world);
}

function checkNothingKept(world: World, { name, engine }: TestProcess): void {
  const kept: string[] = [...engine.liveKeys()].map(({ key, state }) => `the key ${keyText(key)} (${state})`);
  const { liveKeys, runningAttempts, backoffs, failingInits, parkedKeys, parkedMessages } = engine.status();
  const counts = { liveKeys, runningAttempts, backoffs, failingInits, parkedKeys, parkedMessages };
  for (const [count, value] of Object.entries(counts)) if (value !== 0) kept.push(`${count}: ${value}`);
  if (engine.population.anyRests) kept.push('an idle key');
  if (engine.slots.inUse !== 0) kept.push('a taken slot');
  for (const shard of engine.shards.all) {
    if (shard.queues.size > 0) kept.push(`${shard.queues.size} queues of shard ${shard.index}`);
    if (shard.parkedMessages > 0 || shard.stalled) kept.push(`the side queue of shard ${shard.index}`);
  }
  if (kept.length > 0) world.chronicle.violation('kept', `${name} at rest kept ${kept.join(', ')}`);
}

function throwViolations({ chronicle }: World): void {
  if (chronicle.violations.length > 0) throw new ViolationError(chronicle);
}
