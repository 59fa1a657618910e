import { randomBytes } from 'node:crypto';
import { Changes } from '../../support/changes.js';
import { startFaultApp } from '../../support/fault-app.js';
import { History } from '../../support/history.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';

/** After this the broker takes a delivery back, and its channel with it. Milliseconds. */
const TIMEOUT = 4_000;

/** What one attempt takes. Milliseconds. */
const SLOW = 300;

let node: RabbitMqNode;

beforeAll(async () => {
  node = await RabbitMqNode.start();
  node.eval(
    `application:set_env(rabbit, consumer_timeout, ${TIMEOUT}), application:set_env(rabbit, channel_tick_interval, 200).`,
  );
});

afterAll(() => node.stop());

class Seen extends Changes {
  readonly messages: string[] = [];

  add(message: string): void {
    this.messages.push(message);
    this.changed();
  }
}

const KEYS = Array.from({ length: 40 }, (_, index) => `k${index}`);

const ONE_KEY = Array.from({ length: 40 }, () => 'k0');

test.each<[string, string[], number, 'classic' | 'quorum']>([
  ['of one key', ONE_KEY, Infinity, 'classic'],
  ['of many keys, one at a time', KEYS, 1, 'classic'],
  ['of one key on a quorum queue, whose lock keeps a token', ONE_KEY, Infinity, 'quorum'],
])(
  'slow messages %s, which wait for longer than the broker lets them, cost no epoch, and keep their order',
  async (_, keys, concurrency, type) => {
    const seen = new Seen();
    const lost: unknown[] = [];
    const app = await startFaultApp({
      history: new History(),
      rabbit: {
        urls: [node.url],
        deliveryTimeout: TIMEOUT,
        queues: { prefix: `timeout-${randomBytes(4).toString('hex')}-`, totalCount: 1, type },
      },
      options: { handlerTimeout: TIMEOUT / 4, concurrency },
      work: async ({ key, seq }) => {
        await new Promise((resolve) => setTimeout(resolve, SLOW));
        seen.add(`${key} ${seq}`);
      },
    });
    app.service.events.subscribe((event) => {
      if (event.type === 'shardLost') lost.push(event);
    });
    await Promise.all(keys.map((key, seq) => app.producer.publish({ key, seq }, { shardingKey: key })));
    const all = keys.map((key, seq) => `${key} ${seq}`);
    await seen.until(
      'all were handled',
      () => seen.messages.length >= all.length,
      40_000,
      () => seen.messages.join(),
    );
    if (concurrency === 1) expect(seen.messages.toSorted()).toEqual(all.toSorted());
    else expect(seen.messages).toEqual(all);
    expect(lost).toEqual([]);
    expect(app.logs.matching(/lost/)).toEqual([]);
    await app.close();
  },
);
