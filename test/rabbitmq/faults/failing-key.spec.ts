import type { EventsProducer } from '@mississippi/core';
import type { Numbered } from '@mississippi/history';
import { leftIn } from '../../support/broker-view.js';
import { startFaultApp, startProducer, type FaultApp, type FaultAppOptions } from '../../support/fault-app.js';
import { History } from '../../support/history.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';
import { Seeded } from '../../support/seeded.js';
import { WorkerProcess, type WorkerOptions } from '../../support/worker-process.js';
import { keysNamed, keysOnShard, Workload } from '../../support/workload.js';

const TOTAL = 8;
const SHARD = 5;
const OTHERS = keysOnShard(SHARD, TOTAL, 'other', 30);
const [FAILING] = keysOnShard(SHARD, TOTAL, 'failing', 1) as [string];
/** Messages of the failing key. */
const FAILING_COUNT = 5_000;
const OTHERS_COUNT = 3_000;
const FOR_EVER = { attempts: Infinity, backoff: { initial: 20, max: 100 } };

let node: RabbitMqNode;
let runs = 0;

beforeAll(async () => {
  node = await RabbitMqNode.start();
});
afterAll(() => node.stop());

const open: { close(): Promise<void> }[] = [];
const workers: WorkerProcess[] = [];

afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
  for (const worker of workers.splice(0)) if (worker.alive) await worker.kill();
});

/** One prefix of queues, what happens there, and an app that publishes to it. */
interface Stage {
  readonly history: History;
  readonly prefix: string;
  readonly rabbit: { urls: string[]; claimInterval: number; queues: { prefix: string; totalCount: number } };
  readonly producer: EventsProducer;
}

async function stage(): Promise<Stage> {
  const prefix = `failing${++runs}_`;
  const rabbit = { urls: [node.url], claimInterval: 100, queues: { prefix, totalCount: TOTAL } };
  const app = await startProducer(rabbit);
  open.push(app);
  return { history: new History(), prefix, rabbit, producer: app.producer };
}

/** Puts messages of the other keys into the shard, and those of the failing one between them, before anybody consumes. */
async function load({ producer, history }: Stage, failing: number): Promise<void> {
  const random = new Seeded(runs);
  const others = new Workload(producer, history, { keys: OTHERS, random, pipeline: 30 });
  const own = new Workload(producer, history, { keys: [FAILING], random, pipeline: 50 });
  await Promise.all([others.publish(OTHERS_COUNT), own.publish(failing)]);
}

async function startApp({ history, rabbit }: Stage, work?: FaultAppOptions['work']): Promise<FaultApp> {
  const app = await startFaultApp({
    history,
    rabbit,
    options: { failurePolicy: FOR_EVER },
    ...(work === undefined ? {} : { work }),
  });
  open.push(app);
  return app;
}

async function startWorker(
  name: string,
  { history, rabbit }: Stage,
  more: Partial<WorkerOptions> = {},
): Promise<WorkerProcess> {
  const worker = await WorkerProcess.start({ name, history, rabbit, ...more });
  workers.push(worker);
  return worker;
}

function othersHandled(history: History): number {
  return history.handledWhere((key) => key !== FAILING);
}

/** How long the other keys take, in milliseconds. */
async function drainOthers(history: History): Promise<number> {
  await history.until('the other keys were drained', () => othersHandled(history) === OTHERS_COUNT, 40_000);
  const times = history.events.flatMap((event) =>
    (event.type === 'started' || event.type === 'ended') && event.key !== FAILING ? [event.mono] : [],
  );
  return times.at(-1)! - times[0]!;
}

async function expectWhole({ history, prefix }: Stage): Promise<void> {
  expect(history.check().violations).toEqual([]);
  expect(history.handled).toBe(history.confirmed);
  const left = await leftIn(node.url, prefix, TOTAL);
  expect(left.filter((text) => !history.wasHandled(text))).toEqual([]);
}

describe('a key that fails for ever', () => {
  it('leaves the other keys of its shard their pace, and its order is whole when it heals', async () => {
    const alone = await stage();
    await load(alone, 0);
    const app = await startApp(alone);
    const undisturbed = await drainOthers(alone.history);
    await app.close();

    const together = await stage();
    await load(together, FAILING_COUNT);
    let healed = false;
    const work = async ({ key }: Numbered): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      if (key === FAILING && !healed) throw new Error('not yet');
    };
    const disturbedApp = await startApp(together, work);
    const disturbed = await drainOthers(together.history);
    expect(together.history.handled).toBe(OTHERS_COUNT);
    healed = true;
    await together.history.untilHandled(OTHERS_COUNT + FAILING_COUNT);
    await disturbedApp.close();
    await expectWhole(together);
    // 5,000 moves through the same queue take their time too, but no key waits for the failing one.
    expect(disturbed / undisturbed).toBeLessThan(15);
  });

  it('is whole though the process was killed in the middle of the moves into the side queue', async () => {
    const scene = await stage();
    const { history } = scene;
    await load(scene, FAILING_COUNT);
    const more = { options: { failurePolicy: FOR_EVER }, failing: [FAILING] };
    for (const [name, moved] of [
      ['first', 300],
      ['second', 1_500],
    ] as const) {
      const worker = await startWorker(name, scene, more);
      await history.until(`${moved} messages were moved`, () => history.count('parked') >= moved);
      await worker.kill();
      expect(history.count('parked')).toBeLessThan(FAILING_COUNT);
    }
    const last = await startWorker('last', scene, more);
    await history.until('the other keys were drained', () => othersHandled(history) === OTHERS_COUNT);
    last.heal();
    await history.untilHandled(OTHERS_COUNT + FAILING_COUNT);
    await last.stop();
    await expectWhole(scene);
  });
});

describe('a parked key', () => {
  it('is still parked after a crash, takes new messages behind the old ones, and is fed in order when it is resumed', async () => {
    const scene = await stage();
    const { history } = scene;
    const options = { failurePolicy: { attempts: 2, backoff: { initial: 1, max: 1 }, onExhausted: 'park' as const } };
    const workload = new Workload(scene.producer, history, { keys: OTHERS, random: new Seeded(1) });

    const first = await startWorker('first', scene, { options, failing: [FAILING] });
    await Promise.all([workload.publishKey(FAILING, 10), workload.publish(200)]);
    await history.until('the failing key was parked', () => history.count('parked') >= 10);
    await first.kill();

    const second = await startWorker('second', scene, { options });
    await Promise.all([workload.publishKey(FAILING, 10), workload.publish(200)]);
    await history.until('what was new was parked too', () => history.count('parked') >= 20);
    await history.untilHandled(400);
    const attemptedTooEarly = history.events.flatMap((event) =>
      event.type === 'started' &&
      event.process === 'second' &&
      event.callback === 'handleMessage' &&
      event.key === FAILING
        ? [event.id]
        : [],
    );
    second.resume(FAILING);
    await history.untilHandled(420);
    await workload.publishKey(FAILING, 10);
    await history.untilHandled(430);
    await second.stop();
    expect(attemptedTooEarly).toEqual([]);
    await expectWhole(scene);
  });
});

describe('a process that is killed while it consumes', () => {
  it('leaves nothing lost and every order whole', async () => {
    const scene = await stage();
    const { history } = scene;
    const keys = keysNamed('k', 300);
    const workload = new Workload(scene.producer, history, { keys, random: new Seeded(2), backlog: 1_500 });
    const publishing = workload.publish(8_000);
    for (const [name, handled] of [
      ['first', 1_000],
      ['second', 3_000],
      ['third', 5_000],
    ] as const) {
      const worker = await startWorker(name, scene);
      await history.untilHandled(handled);
      await worker.kill();
    }
    const last = await startWorker('last', scene);
    await publishing;
    await history.untilHandled(8_000);
    await last.stop();
    await expectWhole(scene);
  });
});
