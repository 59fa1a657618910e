import { EventEmitter } from 'node:events';
import { PublishError, PublishTimeoutError } from '@mississippi/core';
import type { BrokerConnection } from '../src/broker-connection.js';
import { RabbitPublisher, type Addressed } from '../src/publisher.js';
import { settingsOf } from '../src/settings.js';
import { Topology } from '../src/topology.js';

const MESSAGE: Addressed = { exchange: '', queue: 'q', body: Buffer.from('a'), options: {} };

/** A publisher whose connection never comes up. */
function unconnected(): RabbitPublisher {
  const settings = settingsOf({});
  const connection = new EventEmitter() as unknown as BrokerConnection;
  return new RabbitPublisher(connection, settings, new Topology(settings), () => undefined);
}

describe('the time-outs of messages that wait', () => {
  test('each ends at its own time, whatever came before it; without one it waits on', async () => {
    const publisher = unconnected();
    const ended: unknown[] = [];
    const submit = (timeout: number): Promise<unknown> =>
      publisher
        .submit(MESSAGE, timeout)
        .catch((error: unknown) => error)
        .then((error) => ended.push([timeout, (error as Error).constructor]));
    const [forever, ...limited] = [Infinity, 300, 60, 200, 2 ** 31].map(submit);
    await Promise.all(limited.slice(0, 3));
    expect(ended).toEqual([
      [60, PublishTimeoutError],
      [200, PublishTimeoutError],
      [300, PublishTimeoutError],
    ]);
    publisher.close();
    await Promise.all([forever, ...limited]);
    expect(ended.slice(3)).toEqual([
      [Infinity, PublishError],
      [2 ** 31, PublishError],
    ]);
  });
});
