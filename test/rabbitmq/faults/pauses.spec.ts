import { refOfId, type HistoryEvent, type MessageRef } from '@mississippi/history';
import type { MississippiOptions, ProcessInfo } from '@mississippi/core';
import { countLeft } from '../../support/broker-view.js';
import { startProducer } from '../../support/fault-app.js';
import { History } from '../../support/history.js';
import { untilNothingWaits } from '../../support/nothing-waits.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';
import { Seeded } from '../../support/seeded.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { keysNamed, Workload } from '../../support/workload.js';

const TOTAL = 8;
const KEYS = keysNamed('key', 60);
const COUNT = 3_000;
/** The machine may be busy, and a broker that comes back is connected to after a while. */
const PATIENT = { timeout: 30_000 };

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

const isRare = ({ seq }: Pick<MessageRef, 'seq'>): boolean => seq % 10 === 3;

/** Processes under load, in which each tenth message of a key is of the type `rare`, and an operator in one that owns nothing. */
async function stage(type: 'classic' | 'quorum') {
  const prefix = `pauses${++runs}_`;
  const rabbit = { urls: [node.url], claimInterval: 100, queues: { prefix, totalCount: TOTAL, type } };
  const { producer, operator, close } = await startProducer(rabbit);
  ends.push(close);
  const history = new History();
  const typeOf = (ref: MessageRef): string => (isRare(ref) ? 'rare' : 'usual');
  const workload = new Workload(producer, history, { keys: KEYS, random: new Seeded(runs), pipeline: 16, typeOf });
  ends.push(async () => workload.stop());
  const start = async (name: string, options: Omit<MississippiOptions, 'transport'> = {}): Promise<WorkerProcess> => {
    const pace = { usual: 1, slow: 5, every: 50 };
    const worker = await WorkerProcess.start({ name, history, rabbit, options, pace });
    ends.push(async () => (worker.alive ? worker.kill() : undefined));
    return worker;
  };
  return { prefix, operator, history, workload, start };
}

type Scene = Awaited<ReturnType<typeof stage>>;

/** Everything was handled, in order, and nothing is left. */
async function expectWhole({ history, operator, prefix }: Scene, ...workers: WorkerProcess[]): Promise<void> {
  await history.untilNothingOpen();
  await untilNothingWaits(operator);
  for (const worker of workers) await worker.stop();
  expect(history.check().violations).toEqual([]);
  expect(await countLeft(node.url, prefix, TOTAL)).toBe(0);
}

/** Attempts at messages of the type that started between two moments. */
function raresStarted({ events }: History, since: number, until: number): HistoryEvent[] {
  return events.filter(
    (event) =>
      event.type === 'started' &&
      event.callback === 'handleMessage' &&
      isRare(refOfId(event.id)) &&
      event.mono > since &&
      event.mono < until,
  );
}

/** On the clock of the history. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Asks until the processes are as they are to be. */
async function untilProcesses(
  { operator }: Scene,
  what: string,
  holds: (processes: readonly ProcessInfo[]) => boolean,
): Promise<void> {
  let last: readonly ProcessInfo[] = [];
  for (const end = now() + 30_000; now() < end;) {
    last = await operator.processes();
    if (holds(last)) return;
  }
  throw new Error(`never so: ${what}; it is ${JSON.stringify(last)}`);
}

const infoOf = (worker: WorkerProcess, processes: readonly ProcessInfo[]): ProcessInfo | undefined =>
  processes.find(({ name }) => name.includes(`:${worker.pid}:`));

const isLevel = (processes: readonly ProcessInfo[], workers: readonly WorkerProcess[]): boolean =>
  workers.every((worker) => infoOf(worker, processes)?.shards.length === TOTAL / workers.length);

/** All processes are killed, and something else may be; the next one knows what is paused, and resumed it is handled. */
async function outlive(scene: Scene, fault: () => Promise<void>): Promise<void> {
  const { operator, history, workload, start } = scene;
  const first = await start('first');
  await workload.publish(300);
  await operator.pauseType('rare', PATIENT);
  await operator.pauseType('other', PATIENT);
  await operator.resumeType('other', PATIENT);
  const paused = now();
  await workload.publish(600);
  await history.until('some are parked', () => history.count('parked') > 0);
  await first.kill();
  await fault();
  const second = await start('second');
  expect(await operator.pausedTypes(PATIENT)).toEqual(['rare']);
  await workload.publish(300);
  await history.until('some went on', () => history.handledBy('second') > 0);
  const resumed = now();
  await operator.resumeType('rare', PATIENT);
  await expectWhole(scene, second);
  expect(raresStarted(history, paused, resumed)).toEqual([]);
}

test('what is paused outlives the broker too, killed with kill -9', async () => {
  await outlive(await stage('classic'), async () => {
    await node.kill();
    await node.boot();
  });
});

describe.each(['classic', 'quorum'] as const)('on %s queues', (type) => {
  test('a type is paused under load: none of it starts, whoever dies, and resumed all of it is handled in order', async () => {
    const scene = await stage(type);
    const { operator, history, workload, start } = scene;
    const first = await start('first');
    await start('second');
    const publishing = workload.publish(COUNT);
    await history.untilHandled(200);
    await operator.pauseType('rare', PATIENT);
    const paused = now();
    await history.until('keys were parked', () => history.count('parked') > 100);
    await first.kill(); // It coordinates, since it was the first.
    const third = await start('third');
    await publishing;
    const isOver = (key: string): boolean => history.wasHandled(`${key}#2`);
    await history.until('each key is parked or about to be', () => KEYS.every(isOver));
    expect(await operator.pausedTypes(PATIENT)).toEqual(['rare']);
    const resumed = now();
    await operator.resumeType('rare', PATIENT);
    await history.until('some of the type were handled', () => history.handledBy('third') > 50);
    await third.kill();
    await expectWhole(scene, await start('fourth'));
    const started = raresStarted(history, 0, Infinity);
    expect(started.length).toBeGreaterThanOrEqual(workload.published().filter(isRare).length);
    expect(raresStarted(history, paused, resumed)).toEqual([]);
  });

  test('what is paused outlives all processes', async () => {
    await outlive(await stage(type), () => Promise.resolve());
  });

  test('a resumption whose processes are killed in its midst is one for all, or none', async () => {
    const scene = await stage(type);
    const { operator, history, workload, start } = scene;
    const [first, second] = [await start('first'), await start('second')];
    await operator.pauseType('rare', PATIENT);
    await workload.publish(1_000);
    await history.until('some are parked', () => history.count('parked') > 100);
    const resuming = operator.resumeType('rare', PATIENT).then(
      () => 'resumed',
      (error: Error) => error.name,
    );
    await Promise.all([first.kill(), second.kill()]);
    const third = await start('third');
    const outcome = await resuming;
    const types = await operator.pausedTypes(PATIENT);
    if (outcome === 'resumed') expect(types).toEqual([]);
    await operator.resumeType('rare', PATIENT);
    expect(await operator.pausedTypes(PATIENT)).toEqual([]);
    await expectWhole(scene, third);
  });

  test('the intake of a process is paused under load, and its coordinator killed; resumed it has its share again', async () => {
    const scene = await stage(type);
    const { operator, history, workload, start } = scene;
    const first = await start('first');
    const second = await start('second');
    const publishing = workload.publish(COUNT);
    await untilProcesses(scene, 'both have half', (all) => isLevel(all, [first, second]));
    const { name } = infoOf(second, await operator.processes())!;
    await operator.pauseIntake(name, PATIENT);
    await untilProcesses(scene, 'the first has all', (all) => infoOf(first, all)?.shards.length === TOTAL);
    expect(infoOf(second, await operator.processes())).toMatchObject({ name, intake: 'paused', shards: [] });
    await first.kill(); // It coordinates, since it was the first.
    await untilProcesses(scene, 'the killed one is gone', (all) => infoOf(first, all) === undefined);
    expect(infoOf(second, await operator.processes())).toMatchObject({ intake: 'paused', shards: [] });
    const third = await start('third');
    await untilProcesses(scene, 'the third has all', (all) => infoOf(third, all)?.shards.length === TOTAL);
    const handled = history.handledBy('second');
    await publishing;
    await operator.resumeIntake(name, PATIENT);
    await untilProcesses(scene, 'both have half again', (all) => isLevel(all, [second, third]));
    const more = workload.publish(COUNT / 3);
    await history.until('it handles again', () => history.handledBy('second') > handled);
    await more;
    await expectWhole(scene, second, third);
  });

  test('messages wait in the broker for the only process whose intake is paused', async () => {
    const scene = await stage(type);
    const { operator, history, workload, start } = scene;
    const first = await start('first');
    await workload.publish(200);
    await history.untilNothingOpen();
    const { name } = infoOf(first, await operator.processes())!;
    await operator.pauseIntake(name, PATIENT);
    await untilProcesses(scene, 'it has nothing', (all) => infoOf(first, all)?.shards.length === 0);
    await workload.publish(200);
    expect(history.handled).toBe(200);
    const shards = await operator.shards({ over: 1 });
    expect(shards.reduce((sum, { backlog }) => sum + backlog!, 0)).toBe(200);
    await operator.resumeIntake(name, PATIENT);
    await expectWhole(scene, first);
  });

  test('a process may refuse, and who is nobody is told', async () => {
    const scene = await stage(type);
    const { operator, start } = scene;
    await expect(operator.pauseType('rare')).rejects.toMatchObject({ code: 'no_coordinator' });
    await expect(operator.pauseIntake('nobody', PATIENT)).rejects.toMatchObject({ code: 'no_coordinator' });
    const guarded = await start('guarded', { remoteOperator: false });
    const { name } = infoOf(guarded, await operator.processes())!;
    const refused = { code: 'remote_operator_disabled', message: expect.stringContaining(name) as string };
    await expect(operator.pauseIntake(name, PATIENT)).rejects.toMatchObject(refused);
    await expect(operator.pauseType('rare', PATIENT)).rejects.toMatchObject(refused);
    await expect(operator.pauseIntake('nobody', PATIENT)).rejects.toMatchObject({ code: 'unknown_process' });
    expect(await operator.pausedTypes(PATIENT)).toEqual([]);
    expect(infoOf(guarded, await operator.processes())!.intake).toBe('open');
  });
});
