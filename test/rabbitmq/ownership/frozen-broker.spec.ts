import { randomBytes } from 'node:crypto';
import { Member, until } from '../../support/member.js';
import { sharedUrl } from '../../support/broker.js';
import { deleteQueues } from '../../support/raw-broker.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const TOTAL = 8;

/** How long a channel may take to close, and what is less than that twice. Milliseconds. */
const ONCE = 3_000;
const TWICE = 5_500;

test.each(['classic', 'quorum'] as const)(
  'an app on %s queues waits once for a broker that is frozen, and then nothing of it keeps the process',
  async (type) => {
    const prefix = `frozen-${randomBytes(4).toString('hex')}-`;
    const proxy = await TcpProxy.start(sharedUrl());
    const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    try {
      const before = sockets();
      const member = await Member.start('m', {
        urls: [proxy.url],
        heartbeat: 60,
        queues: { prefix, totalCount: TOTAL, type },
      });
      await until(
        () => `${TOTAL} shards, now ${member.shards}`,
        () => member.shards === TOTAL,
      );
      proxy.freeze();
      const publishing = member.producer.publish({ n: 1 }, { shardingKey: 'k' });
      publishing.catch(() => undefined);
      const from = performance.now();
      await member.stop();
      const took = performance.now() - from;
      expect(took).toBeGreaterThanOrEqual(ONCE);
      expect(took).toBeLessThan(TWICE);
      await expect(publishing).rejects.toMatchObject({ reason: 'closed' });
      await proxy.close();
      await until(
        () => `no socket is left, there are ${sockets()}, before ${before}`,
        () => sockets() <= before,
      );
    } finally {
      await proxy.close();
      await deleteQueues(sharedUrl(), prefix, TOTAL);
    }
  },
);
