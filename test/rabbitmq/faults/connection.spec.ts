import { monotonic, type HistoryEvent, type Numbered } from '@mississippi/history';
import { startFaultApp, type FaultApp, type FaultAppOptions } from '../../support/fault-app.js';
import { History } from '../../support/history.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';
import { Seeded } from '../../support/seeded.js';
import { TcpProxy, type Direction, type ProxiedConnection } from '../../support/tcp-proxy.js';
import { keysNamed, Workload } from '../../support/workload.js';
import { leftIn } from '../../support/broker-view.js';

const TOTAL = 8;
const KEYS = keysNamed('k', 300);
/** They fail two times out of three where a test makes them. */
const FLAKY = new Set(keysNamed('k', 6));
const LOST = /was lost/;
const BACK = /is back/;

let node: RabbitMqNode;
let proxy: TcpProxy;
let history: History;
let app: FaultApp;
let workload: Workload;
let prefix: string;
let runs = 0;

beforeAll(async () => {
  node = await RabbitMqNode.start();
});
afterAll(() => node.stop());

interface StartOptions extends Partial<FaultAppOptions> {
  /** Seconds. */
  readonly heartbeat?: number;
  readonly prefetch?: number;
  readonly keys?: readonly string[];
  readonly backlog?: number;
}

async function start(options: StartOptions = {}): Promise<void> {
  const { heartbeat = 10, prefetch = 300, keys = KEYS, backlog = 1_000, ...more } = options;
  prefix = `connection${++runs}_`;
  history = new History();
  proxy = await TcpProxy.start(node.url);
  app = await startFaultApp({
    history,
    rabbit: {
      urls: [proxy.url],
      heartbeat,
      prefetch,
      connectTimeout: 1_000,
      claimInterval: 100,
      reconnect: { initial: 20, max: 100 },
      queues: { prefix, totalCount: TOTAL },
    },
    ...more,
  });
  workload = new Workload(app.producer, history, { keys, random: new Seeded(runs), pipeline: 32, backlog });
}

afterEach(async () => {
  workload.stop();
  await app.close();
  await proxy.close();
});

/** Everything came to rest: the history is legal, nothing is left in the broker. */
async function expectWhole(): Promise<void> {
  await history.untilNothingOpen();
  await app.close();
  expect(history.check().violations).toEqual([]);
  expect(history.count('refused')).toBe(0);
  // At the most, copies of what was handled: a message that is sent again may arrive after the last one was handled.
  const left = await leftIn(node.url, prefix, TOTAL);
  expect(left.filter((text) => !history.wasHandled(text))).toEqual([]);
}

function connectionOf(purpose: 'publishes' | 'consumes'): ProxiedConnection {
  const [publishes, consumes] = [...proxy.connections];
  return purpose === 'publishes' ? publishes! : consumes!;
}

const isAttempt = (event: HistoryEvent): boolean => event.type === 'started' && event.callback === 'handleMessage';
const cut = (): void => history.fault('cut');

describe('a connection', () => {
  it.each([
    ['publishes', 'up'],
    ['publishes', 'down'],
    ['consumes', 'up'],
    ['consumes', 'down'],
  ] as const)(
    'that %s and is cut in the middle of a frame (%s) comes back, and nothing is lost',
    async (purpose, way) => {
      await start();
      const publishing = workload.publish(4_000);
      await history.untilHandled(1_000);
      await proxy.cutAfter(connectionOf(purpose), way, 5_003, cut);
      await app.logs.untilLogged(BACK);
      await publishing;
      await expectWhole();
      expect(app.logs.matching(LOST)).toEqual([expect.stringContaining(purpose)]);
      expect(app.logs.matching(BACK)).toEqual([expect.stringContaining(purpose)]);
      expect(history.confirmed).toBe(4_000);
    },
  );

  it('that freezes without a word is given up after two heartbeats and comes back when the network does', async () => {
    await start({ heartbeat: 1 });
    const publishing = workload.publish(4_000);
    await history.untilHandled(1_000);
    history.fault('freeze');
    proxy.freeze();
    await app.logs.untilLogged(LOST, 2);
    const lostEpochs = history.count('lost');
    history.healed('freeze');
    proxy.heal();
    await app.logs.untilLogged(BACK, 2);
    await publishing;
    await expectWhole();
    expect(lostEpochs).toBe(TOTAL);
    expect(app.logs.matching(LOST)).toHaveLength(2);
    expect(app.logs.matching(BACK)).toHaveLength(2);
    expect(history.confirmed).toBe(4_000);
  });
});

describe('an event loop that stood still', () => {
  it('starts nothing until the broker has answered, and gives the connection up where it does not', async () => {
    const work = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    await start({ heartbeat: 2, work, options: { concurrency: 10 } });
    const publishing = workload.publish(4_000);
    await history.untilHandled(1_000);
    await history.until(
      'messages waited for their turn',
      () => history.count('delivered') - history.count('attempted') > 100,
    );
    history.fault('freeze');
    proxy.freeze();
    standStill(1_200);
    const stoodStillAt = monotonic();
    await app.logs.untilLogged(/consumes.*was lost.*no answer within 2000 ms/);
    const started = history.events.filter((event) => isAttempt(event) && event.mono >= stoodStillAt);
    history.healed('freeze');
    proxy.heal();
    await publishing;
    await expectWhole();
    expect(started).toEqual([]);
    expect(history.confirmed).toBe(4_000);
  });
});

/** What a long garbage collection or a synchronous handler does to every timer and socket. */
function standStill(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Cuts one connection or all of them, so many times, as soon as one stands again. */
async function cutAtRandom(times: number, random: Seeded): Promise<void> {
  for (let count = 0; count < times; count++) {
    await proxy.until('a connection stands', () => proxy.connections.size > 0);
    const way: Direction = random.pick(['up', 'down']);
    if (random.below(10) === 0) {
      cut();
      proxy.cut();
    } else {
      const victim = random.pick([...proxy.connections]);
      await proxy.cutAfter(victim, way, 1 + random.below(8_000), cut);
    }
  }
}

describe('many cuts in a row', () => {
  it('leave the order whole and lose nothing, after a hundred', async () => {
    await start({ backlog: 600 });
    const publishing = workload.publish();
    await cutAtRandom(100, new Seeded(20_250));
    workload.stop();
    await publishing;
    await expectWhole();
  });

  it('leave the order of keys whole that go in and out of the side queue', async () => {
    const random = new Seeded(20_251);
    const work = async ({ key }: Numbered): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      if (FLAKY.has(key) && random.below(3) > 0) throw new Error('not this time');
    };
    const failurePolicy = { attempts: Infinity, backoff: { initial: 5, max: 20 } };
    await start({ prefetch: 10, keys: KEYS.slice(0, 40), backlog: 400, work, options: { failurePolicy } });
    const publishing = workload.publish();
    await cutAtRandom(50, random);
    await history.until('keys were parked', () => history.count('parked') > 100);
    workload.stop();
    await publishing;
    await expectWhole();
  });
});
