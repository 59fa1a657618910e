import { MississippiOperator } from '../../src/index.js';
import { ledger, rest, World } from '../support/durable-engine.js';

async function start(world: World) {
  const engine = await world.start(ledger);
  const operator = new MississippiOperator(engine);
  const say = async (key: string, ...ids: string[]): Promise<void> => {
    for (const id of ids) await engine.publish(key, id, { messageId: id, type: id.replace(/\d/, '') });
    await rest();
  };
  return { ...engine, operator, say };
}

describe('with a store, a type that is paused', () => {
  test('parks its keys once what came before is committed', async () => {
    const world = new World();
    const { say, store, operator } = await start(world);
    await operator.pauseType('b');
    const held = store.hold('commit');
    await say('k', 'a1', 'b1', 'a2');
    expect(world.broker.parkedCount(0)).toBe(0);
    held.release();
    await rest();
    expect(world.broker.parkedCount(0)).toBe(2);
    expect(world.state('k')).toEqual({ ids: ['a1'] });
    await operator.resumeType('b');
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a1', 'b1', 'a2'] });
  });

  test('is resumed before that, and nothing of the key is moved', async () => {
    const world = new World();
    const { say, store, operator } = await start(world);
    await operator.pauseType('b');
    const held = store.hold('commit');
    await say('k', 'a1', 'b1', 'a2');
    await operator.resumeType('b');
    held.release();
    await rest();
    expect(world.broker.parkedCount(0)).toBe(0);
    expect(world.state('k')).toEqual({ ids: ['a1', 'b1', 'a2'] });
  });

  test('is known by the process that follows one that was killed, from the same broker', async () => {
    const world = new World();
    const first = await start(world);
    await first.operator.pauseType('b');
    await first.say('k', 'b1', 'a1');
    await first.kill();
    const next = await start(world);
    await next.say('k', 'b2');
    expect(world.state('k')).toBeUndefined();
    expect(await next.operator.pausedTypes()).toEqual(['b']);
    await next.operator.resumeType('b');
    await rest();
    expect(world.state('k')).toEqual({ ids: ['b1', 'a1', 'b2'] });
  });
});

test('with a store, what is published while the intake is paused is handled when it is resumed', async () => {
  const world = new World();
  const { say, operator, service } = await start(world);
  const { name } = (await operator.processes())[0]!;
  await operator.pauseIntake(name);
  await rest();
  expect(service.status().shards).toBe(0);
  expect(await operator.processes()).toMatchObject([{ intake: 'paused', shards: [] }]);
  await say('k', 'a1', 'a2');
  expect(world.state('k')).toBeUndefined();
  await operator.resumeIntake(name);
  await rest();
  expect(await operator.processes()).toMatchObject([{ intake: 'open', shards: [0] }]);
  expect(world.state('k')).toEqual({ ids: ['a1', 'a2'] });
});

test('with a store, a shard that is being opened when the intake is paused is handed over once it is open', async () => {
  const world = new World();
  const { operator, service, store, say } = await start(world);
  const { name } = (await operator.processes())[0]!;
  await operator.pauseIntake(name);
  await rest();
  const held = store.hold('openShard');
  await operator.resumeIntake(name);
  await rest();
  await operator.pauseIntake(name);
  held.release();
  await rest();
  expect(service.status().shards).toBe(0);
  await say('k', 'a1');
  expect(world.state('k')).toBeUndefined();
  await operator.resumeIntake(name);
  await rest();
  expect(world.state('k')).toEqual({ ids: ['a1'] });
});
