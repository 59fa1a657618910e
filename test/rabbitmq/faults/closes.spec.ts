import { systemClock } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import type { RabbitPublisher } from '../../../libs/rabbitmq/src/publishing/rabbit-publisher.js';
import { ClosingProxy } from '../../support/closing-proxy.js';
import { leftIn, onBroker } from '../../support/broker-view.js';
import { startFaultApp, type FaultApp } from '../../support/fault-app.js';
import { LogLines } from '../../support/log-lines.js';
import { History } from '../../support/history.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';
import { Seeded } from '../../support/seeded.js';
import { keysNamed, shardOfKey, Workload } from '../../support/workload.js';

const TOTAL = 8;
const KEYS = keysNamed('k', 200);

let node: RabbitMqNode;
let history: History;
let app: FaultApp;
let workload: Workload;
let prefix: string;
let runs = 0;

beforeAll(async () => {
  node = await RabbitMqNode.start();
});
afterAll(() => node.stop());

async function start({
  url = node.url,
  type = 'classic',
  keys = KEYS,
  initial = 20,
}: { url?: string; type?: 'classic' | 'quorum'; keys?: readonly string[]; initial?: number } = {}): Promise<void> {
  prefix = `closes${++runs}_`;
  history = new History();
  const rabbit = {
    urls: [url],
    claimInterval: 100,
    reconnect: { initial, max: 1_000 },
    queues: { prefix, totalCount: TOTAL, type },
  };
  app = await startFaultApp({ history, rabbit });
  workload = new Workload(app.producer, history, { keys, random: new Seeded(runs), backlog: 1_000 });
}

afterEach(async () => {
  workload?.stop();
  await app?.close();
});

/** Everything was taken and handled in order, and nothing is left. */
async function expectWhole(): Promise<void> {
  await history.untilNothingOpen();
  await app.close();
  // How often the broker closes, and so how much comes twice, is its own affair here.
  expect(history.check().violations.filter(({ promise }) => promise !== 'unexplainedDuplicate')).toEqual([]);
  expect(history.count('refused')).toBe(0);
  const left = await leftIn(node.url, prefix, TOTAL);
  expect(left.filter((text) => !history.wasHandled(text))).toEqual([]);
}

describe('a broker that closes in order', () => {
  it('every connection, again and again, has what it had not confirmed sent again: nothing is refused', async () => {
    await start();
    const publishing = workload.publish(8_000);
    for (const handled of [500, 2_000, 4_000]) {
      await history.untilHandled(handled);
      history.fault('cut');
      await node.ask('close_all_connections', 'for the test');
    }
    await publishing;
    await expectWhole();
    expect(history.confirmed).toBe(8_000);
  });

  it('itself, and is started again, has what it had not confirmed sent again', async () => {
    await start();
    const publishing = workload.publish(6_000);
    await history.untilHandled(1_000);
    history.fault('broker');
    await node.ask('stop_app');
    await node.ask('start_app');
    await publishing;
    await expectWhole();
    expect(history.confirmed).toBe(6_000);
  });

  it('a connection in the packet that opens it is connected to again', async () => {
    const proxy = await ClosingProxy.start(node.url);
    try {
      await start({ url: proxy.url });
      await workload.publish(100);
      await history.untilHandled(100);
      history.fault('cut');
      proxy.closeNext(4);
      await proxy.until('four connections were closed as they opened', () => proxy.closed === 4);
      await workload.publish(100);
      await history.untilHandled(200);
      expect(app.service.status().transport.connected).toBe(true);
      await expectWhole();
    } finally {
      await app.close();
      await proxy.close();
    }
  });
});

describe('a message over which the broker closes the channel', () => {
  it('is refused alone, wherever it is among the others', async () => {
    const queue = `poison${++runs}`;
    const logs = new LogLines();
    const transport = rabbitmq({ urls: [node.url], queues: { prefix: queue, totalCount: 1 } });
    const connection = await transport.connect({ instance: 'test', logger: logs, clock: systemClock, keyText: String });
    const publisher = connection.publisher as unknown as RabbitPublisher;
    const numbers = Array.from({ length: 500 }, (_, index) => index);
    const submit = (number: number, expiration?: string): Promise<void> => {
      const options = { mandatory: true, ...(expiration === undefined ? {} : { expiration }) };
      return publisher.submit({ exchange: '', queue: `${queue}0`, body: Buffer.from(String(number)), options }, 20_000);
    };
    const before = numbers.slice(0, 300).map((number) => submit(number));
    const poison = submit(-1, 'never');
    const behind = numbers.slice(300).map((number) => submit(number));
    await expect(poison).rejects.toMatchObject({
      reason: 'refused',
      message: expect.stringMatching(/closes the channel over this message.*invalid expiration/),
    });
    await Promise.all([...before, ...behind]);
    await connection.close();
    const there = await onBroker(node.url, async (channel) => {
      const bodies: number[] = [];
      for (;;) {
        const message = await channel.get(`${queue}0`, { noAck: true });
        if (message === false) return bodies;
        bodies.push(Number(message.content));
      }
    });
    // In order, though some came twice.
    let next = 0;
    for (const number of there) if (number === next) next++;
    expect(next).toBe(500);
    expect(there.every((number, index) => index === 0 || number <= there[index - 1]! + 1)).toBe(true);
    expect(logs.matching(/closed a channel that publishes.*PRECONDITION/)).toHaveLength(1);
  });
});

describe('a queue that refuses messages', () => {
  it.each(['classic', 'quorum'] as const)('holds up no other queue (%s)', async (type) => {
    const victim = shardOfKey('refused', TOTAL);
    const others = KEYS.filter((key) => shardOfKey(key, TOTAL) !== victim);
    // To open another channel takes a second, which only who waits for it can feel.
    await start({ type, keys: others, initial: 1_000 });
    node.ctl('set_policy', 'full', `^${prefix}${victim}$`, '{"max-length":0,"overflow":"reject-publish"}');
    let nacks = 0;
    let over = false;
    const refused = async (): Promise<void> => {
      while (!over) {
        const outcome = await app.producer.publish('x', { shardingKey: 'refused' }).catch((error: unknown) => error);
        if (outcome !== undefined) expect(outcome).toMatchObject({ reason: 'nacked' });
        nacks++;
        history.changed();
      }
    };
    const refusing = Promise.all(Array.from({ length: 10 }, refused));
    await history.until('some were refused', () => nacks > 100);
    const before = nacks;
    await workload.publish(5_000);
    over = true;
    await refusing;
    await history.untilNothingOpen();
    await app.close();
    expect(nacks).toBeGreaterThan(before);
    expect(history.count('refused')).toBe(0);
    expect(history.confirmed).toBe(5_000);
    // Such a queue takes one now and then.
    expect(history.check().violations.filter(({ key }) => others.includes(key ?? ''))).toEqual([]);
  });
});
