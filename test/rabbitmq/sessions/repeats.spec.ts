import { randomBytes } from 'node:crypto';
import { sharedUrl } from '../../support/broker.js';
import { startProducer } from '../../support/fault-app.js';
import { Member, until, type Seen } from '../../support/member.js';
import { deleteQueues } from '../../support/raw-broker.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const PREFIX = `repeats-${randomBytes(4).toString('hex')}-`;

afterAll(() => deleteQueues(sharedUrl(), PREFIX, 1));

/** Handles 1 and 2 and is cut off while 2 runs; another 1 waits behind them. Then 3 comes. Returns what was handled. */
async function cutBetweenEquals(acksArrive: boolean): Promise<number[]> {
  const proxy = await TcpProxy.start(sharedUrl());
  const seen: Seen[] = [];
  let goOn = (): void => undefined;
  let started = 0;
  const work = (): Promise<void> => {
    started++;
    return started === 2 ? new Promise((resolve) => (goOn = resolve)) : Promise.resolve();
  };
  const options = { heartbeat: 2, queues: { prefix: PREFIX, totalCount: 1 }, reconnect: { initial: 10 } };
  const member = await Member.start('m', { ...options, urls: [proxy.url] }, seen, work);
  const producer = await startProducer({ ...options, urls: [sharedUrl()] });
  const publish = (n: number, shardingKey = 'k'): Promise<void> =>
    producer.producer.publish({ n }, { shardingKey, messageId: `id ${n}` });
  const handled = (n: number) => () => seen.some((one) => one.n === n);
  try {
    if (!acksArrive) for (const { app } of proxy.connections) app.pause();
    await publish(1);
    await publish(2);
    await publish(1);
    await publish(9, 'what comes behind');
    await until(() => `all have come, ${started} started`, handled(9));
    proxy.cut();
    await until(
      () => 'the shard is lost',
      () => member.shards === 0,
    );
    goOn();
    await publish(3);
    await until(() => `3 is handled, ${seen.map(({ n }) => n).join(', ')} were`, handled(3));
    return seen.filter(({ key }) => key === 'k').map(({ n }) => n);
  } finally {
    await member.stop();
    await producer.close();
    await proxy.close();
  }
}

/** All come again, and the first of them may be either of the two that are equal: it is run, and so is what follows. */
const ALL_AGAIN = [1, 2, 1, 2, 1, 3];

test('a message that equals one that was handled is handled too, when the connection is lost in between', async () => {
  // Whether the ack of the first was read by the broker before it noticed the cut is the network's secret.
  expect([[1, 2, 1, 3], ALL_AGAIN]).toContainEqual(await cutBetweenEquals(true));
});

test('and it is handled after what was published before it, where the acks were lost with the connection', async () => {
  expect(await cutBetweenEquals(false)).toEqual(ALL_AGAIN);
});
