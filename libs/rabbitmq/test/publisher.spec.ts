import { EventEmitter } from 'node:events';
import { PublishError, PublishTimeoutError } from '@mississippi/core';
import { systemClock } from '@mississippi/core/transport';
import type { BrokerConnection } from '../src/connection/broker-connection.js';
import { settingsOf } from '../src/options/settings.js';
import type { AddressedMessage } from '../src/publishing/addressed-message.js';
import { RabbitPublisher } from '../src/publishing/rabbit-publisher.js';
import { QueueNames } from '../src/topology/queue-names.js';

const MESSAGE: AddressedMessage = { exchange: '', queue: 'q', body: Buffer.from('a'), options: {} };

/** A publisher whose connection never comes up. */
function unconnected(): RabbitPublisher {
  const settings = settingsOf({});
  const connection = new EventEmitter() as unknown as BrokerConnection;
  return new RabbitPublisher(connection, settings, new QueueNames(settings.prefix), systemClock, () => undefined);
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

test('closing waits for no message whose caller has gone', async () => {
  const publisher = unconnected();
  await expect(publisher.submit(MESSAGE, 1)).rejects.toThrow(PublishTimeoutError);
  await publisher.idle();
  publisher.close();
});
