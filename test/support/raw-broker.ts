import type { HeaderValue } from '@mississippi/core';
import { PROPERTY_NAMES } from '@mississippi/core/transport';
import type { DeadLetter, RawMessage } from '@mississippi/testing/transport';
import { connect, type ChannelModel, type ConfirmChannel, type Message, type Options } from 'amqplib';
import { QueueNames } from '../../libs/rabbitmq/src/topology/queue-names.js';
import { KEY_HEADER } from '../../libs/rabbitmq/src/wire/header-names.js';
import { decodeHeader, encodeHeader } from '../../libs/rabbitmq/src/wire/header-values.js';
import { passKeysThrough } from '../../libs/rabbitmq/src/wire/pass-keys-through.js';
import { Changes } from './changes.js';

/** Does something on a channel that carries sharding keys byte by byte, as type `S`. */
export async function onRawBroker<T>(url: string, work: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
  const model = await connectRaw(url);
  try {
    return await work(await model.createConfirmChannel());
  } finally {
    await model.close();
  }
}

/** Deletes a queue and makes another by its name, though whoever uses it may declare it again in between. */
export async function replaceQueue(url: string, queue: string, options: Options.AssertQueue): Promise<void> {
  for (;;) {
    try {
      await onRawBroker(url, async (channel) => {
        channel.on('error', () => undefined); // The call that failed rejects.
        await Promise.all([channel.deleteQueue(queue), channel.assertQueue(queue, options)]);
      });
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== PRECONDITION_FAILED) throw error;
    }
  }
}

/** What the broker says to a declaration that differs. */
const PRECONDITION_FAILED = 406;

/** A connection that carries sharding keys byte by byte. */
export async function connectRaw(url: string): Promise<ChannelModel> {
  const model = await connect(url, { noDelay: true });
  passKeysThrough(streamOf(model), Buffer.alloc(0));
  return model;
}

function streamOf(model: ChannelModel): Parameters<typeof passKeysThrough>[0] {
  return (model.connection as unknown as { stream: Parameters<typeof passKeysThrough>[0] }).stream;
}

/** Takes everything out of a queue, oldest first. */
export async function taken(channel: ConfirmChannel, queue: string): Promise<DeadLetter[]> {
  const messages: DeadLetter[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (message === false) return messages;
    messages.push(read(message));
  }
}

function read({ content, properties }: Message): DeadLetter {
  const { headers = {}, messageId, timestamp } = properties;
  const key: unknown = headers[KEY_HEADER];
  const others = Object.entries(headers).filter(
    ([name, value]) => name !== KEY_HEADER || !(value instanceof Uint8Array),
  );
  return {
    key: key instanceof Uint8Array ? key : undefined,
    body: content,
    headers: decodeHeader(Object.fromEntries(others)) as Record<string, HeaderValue>,
    messageId: messageId as string | undefined,
    timestamp: timestamp as number | undefined,
    properties: Object.fromEntries(PROPERTY_NAMES.map((name) => [name, properties[name] as string | undefined])),
  };
}

/** Takes what comes into a queue, as it comes. */
export class QueueWatch extends Changes {
  readonly messages: DeadLetter[] = [];

  private constructor(private readonly model: ChannelModel) {
    super();
  }

  static async open(url: string, queue: string): Promise<QueueWatch> {
    const model = await connectRaw(url);
    const watch = new QueueWatch(model);
    const channel = await model.createChannel();
    const arrived = (message: Message | null): void => {
      if (message !== null) watch.messages.push(read(message));
      watch.changed();
    };
    await channel.consume(queue, arrived, { noAck: true });
    return watch;
  }

  /** Resolves with the first so many messages. */
  async came(count: number): Promise<readonly DeadLetter[]> {
    const state = (): string => `(${this.messages.length} did)`;
    await this.until(`${count} messages came into the queue`, () => this.messages.length >= count, 20_000, state);
    return this.messages.slice(0, count);
  }

  async close(): Promise<void> {
    await this.model.close();
  }
}

/** Publishes as a foreign producer would, and waits for the confirm. */
export async function published(channel: ConfirmChannel, queue: string, message: RawMessage): Promise<void> {
  const { key, body, headers, messageId, timestamp, properties } = message;
  const all = key === undefined ? headers : { ...headers, [KEY_HEADER]: key };
  channel.publish('', queue, Buffer.from(body), {
    ...(all === undefined ? {} : { headers: encodeHeader(all) as Record<string, unknown> }),
    persistent: true,
    ...(messageId === undefined ? {} : { messageId }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(properties as Options.Publish | undefined),
  });
  await channel.waitForConfirms();
}

/** Deletes every queue of a prefix. */
export async function deleteQueues(url: string, prefix: string, totalCount: number): Promise<void> {
  await onRawBroker(url, async (channel) => {
    const names = new QueueNames(prefix);
    const { meta, application, deadLetters, members, coordinator } = names;
    for (const queue of [meta, application, deadLetters, members, coordinator]) await channel.deleteQueue(queue);
    for (let shard = 0; shard < totalCount; shard++) {
      for (const kind of ['shard', 'parked', 'signals', 'lock'] as const) {
        await channel.deleteQueue(names[kind](shard));
      }
    }
  });
}
