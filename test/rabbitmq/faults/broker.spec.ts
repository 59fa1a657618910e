import type { Numbered } from '@mississippi/history';
import { drain, leftIn, onBroker } from '../../support/broker-view.js';
import { startFaultApp, type FaultApp, type FaultAppOptions } from '../../support/fault-app.js';
import { Gate } from '../../support/gate.js';
import { History } from '../../support/history.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';
import { Seeded } from '../../support/seeded.js';
import { keysNamed, shardOfKey, Workload } from '../../support/workload.js';

const TOTAL = 8;
const KEYS = keysNamed('k', 300);
/** Bytes. A broker from 4.0 on reads it once, when it boots. */
const MOST = 2_000;

let node: RabbitMqNode;
let history: History;
let app: FaultApp;
let workload: Workload;
let prefix: string;
let runs = 0;

beforeAll(async () => {
  node = await RabbitMqNode.start({ max_message_size: MOST });
});
afterAll(() => node.stop());

interface StartOptions extends Partial<FaultAppOptions> {
  readonly patient?: boolean;
  readonly backlog?: number;
  readonly exchange?: string;
  readonly prefetch?: number;
  readonly keys?: readonly string[];
}

async function start(options: StartOptions = {}): Promise<void> {
  const { patient = false, backlog = 1_000, exchange = '', prefetch = 300, keys = KEYS, ...more } = options;
  prefix = `broker${++runs}_`;
  history = new History();
  const rabbit = {
    urls: [node.url],
    claimInterval: 100,
    reconnect: { initial: 20, max: 200 },
    exchange,
    prefetch,
    queues: { prefix, totalCount: TOTAL },
  };
  app = await startFaultApp({ history, rabbit, ...more });
  workload = new Workload(app.producer, history, { keys, random: new Seeded(runs), backlog, patient });
}

afterEach(async () => {
  workload.stop();
  await app.close();
});

/** Everything came to rest: the history is legal, nothing is left in the broker. */
async function expectWhole(): Promise<void> {
  await history.untilNothingOpen();
  await app.close();
  expect(history.check().violations).toEqual([]);
  const left = await leftIn(node.url, prefix, TOTAL);
  expect(left.filter((text) => !history.wasHandled(text))).toEqual([]);
}

/** Makes the broker close the channels that consume some queues: acks of deliveries that never were, in their names. */
function closeChannelsOf(pattern: string): void {
  node.eval(
    `[rabbit_channel:do(proplists:get_value(channel_pid, C), {'basic.ack', 999999999, false}) || ` +
      `C <- rabbit_amqqueue:consumers_all(<<"/">>), ` +
      `re:run(element(4, proplists:get_value(queue_name, C)), <<"^${pattern}$">>) =/= nomatch].`,
  );
}

describe('a broker', () => {
  it('that is killed and started again on its data loses nothing', async () => {
    await start();
    const publishing = workload.publish(6_000);
    await history.untilHandled(2_000);
    await node.kill();
    history.fault('broker');
    await app.logs.untilLogged(/was lost/, 2);
    await node.boot();
    await app.logs.untilLogged(/is back/, 2);
    await publishing;
    await expectWhole();
    expect(history.confirmed).toBe(6_000);
    expect(app.logs.matching(/was lost/)).toHaveLength(2);
    expect(app.logs.matching(/is back/)).toHaveLength(2);
  });

  it('with a memory alarm lets publishing, moves and dead letters wait and consuming go on', async () => {
    const gate = new Gate();
    let healed = false;
    const work: FaultAppOptions['work'] = async ({ key, seq }) => {
      await gate.promise;
      if (key === 'k0' && seq === 0) return 'discard';
      if (key === 'k1' && !healed) throw new Error('not yet');
      return undefined;
    };
    const failurePolicy = { attempts: 2, backoff: { initial: 1, max: 1 }, onExhausted: 'park' as const };
    await start({ work, backlog: Infinity, options: { failurePolicy } });
    await Promise.all([workload.publishKey('k0', 3), workload.publishKey('k1', 3), workload.publish(2_000)]);
    node.ctl('set_vm_memory_high_watermark', '0.00001');
    const publishing = workload.publish(1_000);
    await app.logs.untilLogged(/takes no messages/);
    gate.resolve();
    await history.until('all that was confirmed was handled, but for two keys', () =>
      history.events.every(
        (event) => event.type !== 'confirmed' || /^k[01]$/.test(event.key) || history.wasHandled(event.id),
      ),
    );
    await history.until('the failing key had used up its attempts', () => history.count('failed') >= 3);
    expect(app.service.status().transport.blocked).toBe(true);
    expect(history.count('published')).toBeGreaterThan(history.count('confirmed'));
    expect(history.count('deadLettered') + history.count('parked')).toBe(0);
    node.ctl('set_vm_memory_high_watermark', '0.6');
    await publishing;
    await history.until('the dead letter was confirmed', () => history.count('deadLettered') === 1);
    await history.until('the parked key was moved', () => history.count('parked') >= 3);
    healed = true;
    await app.service.resume('k1');
    await expectWhole();
    expect(app.logs.matching(/takes no messages/).length).toBe(app.logs.matching(/takes messages .* again/).length);
  });

  it('whose queue is deleted while it is consumed gets it declared again and consumed on', async () => {
    await start({ patient: true });
    const victim = shardOfKey('k0', TOTAL);
    const ofVictim = KEYS.filter((key) => shardOfKey(key, TOTAL) === victim);
    const publishing = workload.publish(6_000);
    await history.untilHandled(2_000);
    await onBroker(node.url, async (channel) => {
      await channel.deleteQueue(`${prefix}${victim}`);
      history.fault('channel');
    });
    for (const message of workload.published()) {
      if (ofVictim.includes(message.key) && !history.wasHandled(message.id))
        history.publisher.record({ type: 'excused', ...message });
    }
    const sent = workload.published().length;
    await publishing;
    await expectWhole();
    const later = workload
      .published()
      .slice(sent)
      .filter(({ key }) => ofVictim.includes(key));
    expect(later.length).toBeGreaterThan(0);
    expect(later.filter((message) => !history.wasHandled(message.id))).toEqual([]);
  });

  it('whose side queue and dead letters are deleted loses nothing that goes there', async () => {
    const gate = new Gate();
    let healed = false;
    const work: FaultAppOptions['work'] = async ({ key, seq }) => {
      await gate.promise;
      if (key === 'k0' && seq === 0) return 'discard';
      if (key === 'k1' && !healed) throw new Error('not yet');
      return undefined;
    };
    const failurePolicy = { attempts: 1, backoff: { initial: 1, max: 1 }, onExhausted: 'park' as const };
    await start({ work, backlog: Infinity, options: { failurePolicy } });
    await Promise.all([workload.publishKey('k0', 3), workload.publishKey('k1', 3), workload.publish(500)]);
    await onBroker(node.url, async (channel) => {
      await channel.deleteQueue(`${prefix}dead_letters`);
      await channel.deleteQueue(`${prefix}${shardOfKey('k1', TOTAL)}.parked`);
    });
    gate.resolve();
    await history.until('the dead letter was confirmed', () => history.count('deadLettered') === 1);
    await history.until('the parked key was moved', () => history.count('parked') >= 3);
    healed = true;
    await app.service.resume('k1');
    await expectWhole();
    expect(await onBroker(node.url, (channel) => drain(channel, `${prefix}dead_letters`))).toEqual(['k0#0']);
  });

  it('whose exchange is deleted gets it declared again, and publishing goes on', async () => {
    await start({ patient: true, exchange: 'events' });
    const publishing = workload.publish(4_000);
    await history.untilHandled(1_000);
    await onBroker(node.url, async (channel) => {
      await channel.deleteExchange('events');
      history.fault('channel');
    });
    await publishing;
    await expectWhole();
  });

  it('that takes only small messages refuses a large one, and the others go on', async () => {
    await start();
    const publishing = workload.publish(2_000);
    await history.untilHandled(200);
    history.fault('channel');
    const large = app.producer.publish('x'.repeat(MOST + 1), { shardingKey: 'large' });
    await expect(large).rejects.toMatchObject({ reason: 'too_large' });
    await publishing;
    await expectWhole();
  });

  it('that closes one channel has its shard consumed again, and the other shards stay', async () => {
    await start();
    const publishing = workload.publish(6_000);
    await history.untilHandled(1_000);
    history.fault('channel');
    closeChannelsOf(`${prefix}3`);
    await history.until('a shard was lost', () => history.count('lost') > 0);
    await publishing;
    await expectWhole();
    expect(history.count('lost')).toBe(1);
    expect(app.logs.matching(/^Shard 3 was lost, and is claimed again: .*406/)).toHaveLength(1);
  });

  it('that closes the channels of side queues has their shards read anew, and parked keys go on', async () => {
    const random = new Seeded(4);
    const flaky = new Set(KEYS.slice(0, 6));
    const work = async ({ key }: Numbered): Promise<void> => {
      if (flaky.has(key) && random.below(3) > 0) throw new Error('not this time');
    };
    const failurePolicy = { attempts: Infinity, backoff: { initial: 5, max: 20 } };
    await start({ work, prefetch: 10, keys: KEYS.slice(0, 40), backlog: 300, options: { failurePolicy } });
    const publishing = workload.publish(1_500);
    await history.until('keys were parked', () => history.count('parked') > 100);
    history.fault('channel');
    closeChannelsOf(`${prefix}[0-9]+[.]parked`);
    await history.until('a shard was lost', () => history.count('lost') > 0);
    await publishing;
    await expectWhole();
    const named = /^Shard \d was lost, and is claimed again: the channel of the side queue '.*' was closed: .*406/;
    expect(app.logs.matching(named).length).toBeGreaterThan(0);
  });

  it('whose delivery time-out closes a channel brings the rest again, and the message that took so long only once', async () => {
    node.eval(
      `application:set_env(rabbit, consumer_timeout, 1000), application:set_env(rabbit, channel_tick_interval, 200).`,
    );
    const gate = new Gate();
    await start({ work: ({ key, seq }) => (key === 'k0' && seq === 3 ? gate.promise : Promise.resolve()) });
    await Promise.all([workload.publishKey('k0', 10), workload.publish(2_000)]);
    await history.until('the shard of the slow handler was lost', () => history.count('lost') > 0);
    gate.resolve();
    await expectWhole();
    expect(app.service.status().parkedKeys).toBe(0);
    node.eval(
      `application:set_env(rabbit, consumer_timeout, 1800000), application:set_env(rabbit, channel_tick_interval, 60000).`,
    );
  });
});
