import { EventEmitter } from 'node:events';
import { PublishError, PublishTimeoutError } from '@mississippi/core';
import { systemClock } from '@mississippi/core/transport';
import type { BrokerConnection } from '../src/connection/broker-connection.js';
import { settingsIn, settingsOf } from '../src/options/settings.js';
import type { AddressedMessage } from '../src/publishing/addressed-message.js';
import { RabbitPublisher } from '../src/publishing/rabbit-publisher.js';
import { QueueNames } from '../src/topology/queue-names.js';

const MESSAGE: AddressedMessage = { exchange: '', queue: 'q', body: Buffer.from('a'), options: {} };

const logger = { log: () => undefined, warn: () => undefined, error: () => undefined };

/** A publisher whose connection never comes up. */
function unconnected(): RabbitPublisher {
  const settings = settingsIn(settingsOf({}), 'default');
  const connection = new EventEmitter() as unknown as BrokerConnection;
  return new RabbitPublisher(connection, settings, new QueueNames(settings.prefix), systemClock, logger, {
    ready: () => Promise.resolve(),
    unroutable: () => undefined,
  });
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

test('what was not sent in time is not kept while there is no connection', async () => {
  const publisher = unconnected();
  const bodies: WeakRef<Buffer>[] = [];
  const submitOne = (): Promise<unknown> => {
    const body = Buffer.alloc(100_000);
    bodies.push(new WeakRef(body));
    return publisher.submit({ ...MESSAGE, body }, 1).catch((error: unknown) => error);
  };
  const forever = publisher.submit(MESSAGE, Infinity).catch(() => undefined);
  const late = Array.from({ length: 100 }, submitOne);
  for (const end of late) expect(await end).toBeInstanceOf(PublishTimeoutError);
  await new Promise((resolve) => setImmediate(resolve));
  (globalThis as { gc?: () => void }).gc!();
  expect(bodies.filter((body) => body.deref() !== undefined)).toHaveLength(0);
  publisher.close();
  await forever;
});

test('closing waits for no message whose caller has gone', async () => {
  const publisher = unconnected();
  await expect(publisher.submit(MESSAGE, 1)).rejects.toThrow(PublishTimeoutError);
  await publisher.idle();
  publisher.close();
});
