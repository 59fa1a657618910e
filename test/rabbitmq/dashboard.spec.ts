import { shardOf } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import type { Snapshot, WatchedKey } from '../../libs/dashboard/src/wire.js';
import { closeApps, openApp, type OpenApp } from '../../libs/dashboard/test/support/open-app.js';
import { openStream } from '../../libs/dashboard/test/support/open-stream.js';
import { sharedUrl } from '../support/broker.js';

const TOTAL = 4;

afterEach(closeApps);

function start(type: 'classic' | 'quorum'): Promise<OpenApp> {
  const queues = { prefix: `dashboard_${type}_`, totalCount: TOTAL, type };
  const transport = rabbitmq({ urls: [sharedUrl()], claimInterval: 100, queues });
  return openApp('Express', { dashboard: { actions: true }, mississippi: { transport } });
}

describe.each(['classic', 'quorum'] as const)('over %s queues', (type) => {
  test('the page of one process shows a key of another one, what happens to it, and frees it', async () => {
    const [shown] = [await start(type), await start(type)];
    const stream = await openStream(shown, 'live');
    const until = async (is: (seen: Snapshot) => boolean): Promise<Snapshot> => {
      for (;;) {
        const seen = await stream.next<Snapshot>('snapshot');
        if (is(seen)) return seen;
      }
    };
    const { processes } = await until(
      (seen) => seen.processes.length === 2 && seen.processes.every(({ shards }) => shards.length === TOTAL / 2),
    );
    const other = processes.find(({ self }) => !self)!;
    const key = Array.from({ length: 100 }, (_, index) => `key${index}`).find((text) =>
      other.shards.includes(shardOf(text, { totalCount: TOTAL })),
    )!;
    const { key: address } = (await shown.asPage(`/mississippi/api/find?text=${key}`)).json() as { key: string };
    const watched = await openStream(shown, `live?key=${address}`);
    expect(await watched.next<WatchedKey>('key')).toMatchObject({ key: null, problem: null });
    await shown.producer.publish('bad', { shardingKey: key, messageId: 'first' });
    const seen = await until(({ stuck }) => stuck.length > 0);
    expect(seen.stuck).toMatchObject([{ key: address, trouble: 'parked', process: other.name }]);
    expect(seen.shards.every(({ answered, backlog }) => answered && backlog !== undefined)).toBe(true);
    expect((await shown.act('drop', { key: address })).at(-1)).toMatchObject({ event: 'done' });
    expect((await shown.act('resume', { key: address })).at(-1)).toMatchObject({ event: 'done' });
    await shown.producer.publish('good', { shardingKey: key, messageId: 'second' });
    let events: readonly string[] = [];
    while (!events.includes('handled second')) {
      const told = await watched.next<WatchedKey>('key');
      events = told.events.map(({ type, messageId }) => `${type} ${messageId ?? ''}`.trim());
    }
    expect(events).toEqual(
      expect.arrayContaining(['attemptStarted first', 'parked', 'resumed', 'attemptStarted second']),
    );
    for (const open of [stream, watched]) open.close();
  });
});
