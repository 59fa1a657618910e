import type { MississippiOperator } from '@mississippi/core';
import { countLeft, drain, onBroker } from '../../support/broker-view.js';
import { startProducer } from '../../support/fault-app.js';
import { History } from '../../support/history.js';
import { untilNothingWaits } from '../../support/nothing-waits.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';
import { Seeded } from '../../support/seeded.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { keysOnShard, Workload } from '../../support/workload.js';

const TOTAL = 8;
const SHARD = 5;
const OTHERS = keysOnShard(SHARD, TOTAL, 'other', 30);
const [POISONED] = keysOnShard(SHARD, TOTAL, 'poisoned', 1) as [string];
/** Messages of the poisoned key. */
const COUNT = 300;
const OTHERS_COUNT = 3_000;
const FAILURES = { attempts: Infinity, backoff: { initial: 20, max: 60_000 } };

let node: RabbitMqNode;
let runs = 0;

beforeAll(async () => {
  node = await RabbitMqNode.start();
});
afterAll(() => node.stop());

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A worker that is poisoned by one key, others under load, and an operator in a process that owns nothing. */
async function stage(type: 'classic' | 'quorum') {
  const prefix = `operator${++runs}_`;
  const rabbit = { urls: [node.url], claimInterval: 100, queues: { prefix, totalCount: TOTAL, type } };
  const { producer, operator, close } = await startProducer(rabbit);
  ends.push(close);
  const history = new History();
  const workload = new Workload(producer, history, { keys: OTHERS, random: new Seeded(runs), backlog: 500 });
  ends.push(async () => workload.stop());
  const start = async (name: string, failing: string[] = []): Promise<WorkerProcess> => {
    const worker = await WorkerProcess.start({ name, history, rabbit, failing, options: { failurePolicy: FAILURES } });
    ends.push(async () => (worker.alive ? worker.kill() : undefined));
    return worker;
  };
  return { prefix, operator, history, workload, start };
}

type Scene = Awaited<ReturnType<typeof stage>>;

/** The poisoned key is in trouble, and the others are under load. */
async function poisoned({ workload, start, history, operator }: Scene) {
  const worker = await start('first', [POISONED]);
  await workload.publishKey(POISONED, COUNT);
  const publishing = workload.publish(OTHERS_COUNT);
  await history.untilHandled(100);
  await history.until('the poisoned key has failed', () => history.count('failed') > 0);
  const { keys } = await operator.keys({ troubled: true });
  expect(keys.map(({ key, error }) => [key, error])).toEqual([[POISONED, 'Error: this key is refused for now']]);
  return { worker, publishing };
}

async function paused(scene: Scene): Promise<Awaited<ReturnType<typeof poisoned>>> {
  const begun = await poisoned(scene);
  await scene.operator.pause(POISONED);
  await scene.history.until('the key was parked', () => scene.history.count('parked') >= COUNT);
  return begun;
}

/** Everything is handled, or in the dead letters because somebody dropped it; and in order. */
async function expectWhole({ history, operator, prefix }: Scene, worker: WorkerProcess): Promise<string[]> {
  await history.untilNothingOpen();
  await untilNothingWaits(operator);
  await worker.stop();
  expect(history.check().violations).toEqual([]);
  const letters = await onBroker(node.url, (channel) => drain(channel, `${prefix}dead_letters`));
  expect(await countLeft(node.url, prefix, TOTAL)).toBe(0);
  const finished = Array.from({ length: COUNT }, (_, seq) => `${POISONED}#${seq}`);
  expect(finished.filter((id) => !history.wasHandled(id) && !letters.includes(id))).toEqual([]);
  return letters;
}

/** Asks until the key is held and nothing of it runs. */
async function untilHeld(operator: MississippiOperator): Promise<void> {
  for (let asked = 0; asked < 1_000; asked++) {
    const report = await operator.key(POISONED);
    if (report?.parkedState === 'held' && report.state === 'parked') return;
  }
  throw new Error('the key was never held again');
}

/** Whether a process has got the shard: the others may have no more messages that it could handle. */
function isOwned({ events }: History, name: string): boolean {
  return events.some((event) => event.type === 'owned' && event.process === name && event.shard === SHARD);
}

/** Lets a held key go on, however far it is, until it is free. */
async function free(operator: MississippiOperator): Promise<void> {
  const report = await operator.key(POISONED, { timeout: 20_000 });
  if (report?.parkedState === 'held') await operator.resume(POISONED);
}

/** Resolves when a call has had its effect, or a part of it. */
async function begun(
  operator: MississippiOperator,
  call: 'pause' | 'retry' | 'drop' | 'dropAll' | 'resume',
): Promise<void> {
  if (call !== 'dropAll') {
    await operator[call](POISONED, { timeout: 20_000 });
    return;
  }
  await new Promise<void>((resolve, reject) => {
    // A hundred dead letters, one confirm after the other, take as long as the machine is busy. What follows ends with the process.
    operator.dropAll(POISONED, { timeout: 20_000, progress: () => resolve() }).catch(reject);
  });
}

describe.each(['classic', 'quorum'] as const)('an operator on %s queues', (type) => {
  test('frees a poisoned key of another process, under load', async () => {
    const scene = await stage(type);
    const { operator, history } = scene;
    const { worker, publishing } = await paused(scene);
    const [first, second] = [`${POISONED}#0`, `${POISONED}#1`];
    await operator.retry(POISONED);
    await history.until('the head was tried', () => history.count('failed') >= 2);
    history.test.record({ type: 'operator', call: 'drop', key: POISONED });
    await untilHeld(operator);
    await expect(operator.drop(POISONED, { messageId: second })).rejects.toMatchObject({ code: 'head_changed' });
    await operator.drop(POISONED, { messageId: first });
    worker.heal();
    await operator.retry(POISONED);
    await history.until('one message went through', () => history.wasHandled(second));
    await operator.deactivate(POISONED);
    expect(await operator.key(POISONED)).toMatchObject({ trouble: 'parked', parked: COUNT - 2 });
    const shards = await operator.shards({ over: 100 });
    expect(shards).toHaveLength(TOTAL);
    expect(shards[SHARD]).toMatchObject({ process: expect.stringContaining('mississippi') as string });
    expect(shards[SHARD]!.owned).toMatchObject({ parked: COUNT - 2, stalled: false });
    expect(typeof shards[SHARD]!.backlog).toBe('number');
    await operator.resume(POISONED);
    await publishing;
    expect(await expectWhole(scene, worker)).toEqual([first]);
  });

  test.each(['pause', 'retry', 'drop', 'dropAll', 'resume'] as const)(
    'loses nothing and breaks no order when the process is killed in the midst of %s',
    async (call) => {
      const scene = await stage(type);
      const { operator, history, start } = scene;
      const { worker, publishing } = await (call === 'pause' ? poisoned(scene) : paused(scene));
      if (call === 'resume') worker.heal();
      if (call.startsWith('drop')) history.test.record({ type: 'operator', call: 'drop', key: POISONED });
      await begun(operator, call);
      if (call === 'resume') await history.until('some of it went through', () => history.wasHandled(`${POISONED}#20`));
      await worker.kill();
      const next = await start('second');
      await history.until('the shard was taken over', () => isOwned(history, 'second'));
      await free(operator);
      await publishing;
      const letters = await expectWhole(scene, next);
      if (call === 'dropAll') expect(letters.length).toBeGreaterThanOrEqual(100);
      else if (call !== 'drop') expect(letters).toEqual([]);
    },
  );
});
