import { randomBytes } from 'node:crypto';
import { sharedUrl } from '../../support/broker.js';
import { startProducer } from '../../support/fault-app.js';
import { Member, until, type Seen } from '../../support/member.js';
import { deleteQueues } from '../../support/raw-broker.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const PREFIX = `repeats-${randomBytes(4).toString('hex')}-`;

afterAll(() => deleteQueues(sharedUrl(), PREFIX, 1));

test('a message that equals one that was handled is handled too, when the connection is lost in between', async () => {
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
  const publish = (n: number): Promise<void> =>
    producer.producer.publish({ n }, { shardingKey: 'k', messageId: `id ${n}` });
  try {
    await publish(1);
    await publish(2);
    await publish(1);
    await until(
      () => `the second runs, ${started} have`,
      () => started === 2,
    );
    proxy.cut();
    await until(
      () => 'the shard is lost',
      () => member.shards === 0,
    );
    goOn();
    await until(
      () => `three are handled, ${seen.length} were`,
      () => seen.length >= 3,
    );
    await publish(3);
    await until(
      () => `four are handled, ${seen.length} were`,
      () => seen.length >= 4,
    );
    expect(seen.map(({ n }) => n)).toEqual([1, 2, 1, 3]);
  } finally {
    await member.stop();
    await producer.close();
    await proxy.close();
  }
});
