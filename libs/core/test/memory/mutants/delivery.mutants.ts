import type { HeaderValue } from '@mississippi/core';
import type { OutgoingMessage } from '@mississippi/core/transport';
import { changing, delivering, later, type Mutant } from './mutant.js';
import { replaceMethod } from '../../support/replace-method.js';

/** Wrong messages, wrong places, wrong order. */
export const deliveryMutants: readonly Mutant[] = [
  {
    name: 'messages go to the next shard',
    by: 'a message arrives in the shard of its key',
    says: /the messages of shard|to get \d+ deliveries/,
    publish: changing((message) => ({ ...message, shard: (message.shard + 1) % 8 })),
  },
  {
    name: 'a message leaves without its type',
    by: 'a message goes to the method of its type',
    says: /other after 0/,
    publish: (publisher, { tookHold }) => {
      return ({ properties, ...message }, timeout) => {
        if (properties?.type !== undefined) tookHold();
        return publisher.publish(message, timeout);
      };
    },
  },
  {
    name: 'some publishes are overtaken',
    by: 'the messages of a shard arrive in the order of the publish calls',
    says: /the order of publish calls/,
    publish: (publisher, { tookHold }) => {
      let calls = 0;
      return async (message, timeout) => {
        if (++calls % 7 === 0) {
          tookHold();
          await later();
        }
        return publisher.publish(message, timeout);
      };
    },
  },
  {
    name: 'one of a thousand messages is lost',
    by: '10,000 messages arrive once each',
    says: /deliveries|had to be/,
    publish: (publisher, { tookHold }) => {
      let calls = 0;
      return async (message, timeout) => {
        if (++calls % 1_000 === 0) tookHold();
        else await publisher.publish(message, timeout);
      };
    },
  },
  {
    name: 'one of many keys is forgotten',
    by: 'a thousand keys arrive, each in its order',
    says: /deliveries|had to be/,
    publish: (publisher, { tookHold }) => {
      const keys = new Set<string>();
      return async (message, timeout) => {
        const key = Buffer.from(message.key).toString('hex');
        if (keys.size < 999) keys.add(key);
        if (keys.has(key)) await publisher.publish(message, timeout);
        else tookHold();
      };
    },
  },
  {
    name: 'the last message is delivered twice',
    by: '10,000 messages arrive once each',
    says: /more arrived in shard/,
    publish: (publisher, { tookHold }) => {
      let calls = 0;
      return async (message, timeout) => {
        if (++calls === 10_000) {
          tookHold();
          await publisher.publish(message, timeout);
        }
        return publisher.publish(message, timeout);
      };
    },
  },
  {
    name: 'messages without a consumer are dropped',
    by: 'messages that are published before there is a consumer wait for it',
    says: /deliveries/,
    broker: ({ shards }, { tookHold }) => {
      for (const { queue } of shards) {
        replaceMethod(queue, 'append', (append) => (message) => {
          if (queue.taker === undefined) tookHold();
          else append(message);
        });
      }
    },
  },
  {
    name: 'every delivery is marked as redelivered',
    by: 'a first delivery is not marked as redelivered',
    says: /must not be marked/,
    receiver: delivering(() => ({ redelivered: true })),
  },
  {
    name: 'keys pass through UTF-8',
    by: 'sharding keys arrive byte by byte',
    says: /the key of m\d+: expected/,
    publish: changing((message) => ({ ...message, key: Buffer.from(Buffer.from(message.key).toString('utf8')) })),
  },
  {
    name: 'bodies pass through UTF-8',
    by: 'bodies arrive byte by byte',
    says: /the body of m\d+: expected/,
    publish: changing((message) => ({ ...message, body: Buffer.from(Buffer.from(message.body).toString('utf8')) })),
  },
  {
    name: 'an empty body becomes something',
    by: 'bodies arrive byte by byte',
    says: /the body of m1: expected 0 bytes/,
    publish: changing((message) => ({
      ...message,
      body: message.body.length === 0 ? Buffer.from('{}') : message.body,
    })),
  },
  {
    name: 'bodies are cut at 64 KB',
    by: 'a body of 1 MB arrives',
    says: /the body of m1: expected 1048576 bytes/,
    publish: changing((message) => ({ ...message, body: message.body.subarray(0, 65_536) })),
  },
  {
    name: 'bytes in headers become text',
    by: 'headers arrive with their values and types',
    says: /the header bytes of m1 must be bytes/,
    publish: withHeaders((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value)),
  },
  {
    name: 'numbers in headers become text',
    by: 'headers arrive with their values and types',
    says: /the header zero of m1 must be an integer/,
    publish: withHeaders((value) => (typeof value === 'number' ? String(value) : value)),
  },
  {
    name: 'nested headers become text',
    by: 'headers arrive with their values and types',
    says: /the header table of m1 must be a table/,
    publish: withHeaders((value) => (value?.constructor === Object ? '[object Object]' : value)),
  },
  {
    name: 'large integers in headers are rounded',
    by: 'headers arrive with their values and types',
    says: /the header large of m1/,
    publish: withHeaders((value) => (typeof value === 'number' ? Math.fround(value) : value)),
  },
  {
    name: 'null in headers is left out',
    by: 'null and fractions in headers arrive',
    says: /the header nothing of m1 must be null/,
    publish: changing((message) => {
      const { nothing: _nothing, ...headers } = message.headers;
      return { ...message, headers };
    }),
  },
  {
    name: 'message ids are made anew',
    by: 'the message id and the timestamp arrive',
    says: /the message id of/,
    receiver: delivering(() => ({ messageId: 'another' })),
  },
  {
    name: 'the type of a message is left out',
    by: 'type, content type and the other properties arrive',
    says: /the type of m1/,
    receiver: delivering(() => ({ properties: undefined })),
  },
  {
    name: 'a message has properties that nobody gave',
    by: 'type, content type and the other properties arrive',
    says: /the contentType of m1/,
    publish: changing((message) => ({
      ...message,
      properties: { contentType: 'application/octet-stream', ...message.properties },
    })),
  },
  {
    name: 'a timestamp of 0 is left out',
    by: 'the message id and the timestamp arrive',
    says: /the timestamp of/,
    receiver: delivering(({ timestamp }) => ({ timestamp: timestamp || undefined })),
  },
  {
    name: 'a message without a key is swallowed',
    by: 'a message without a key, an id and a timestamp is delivered',
    says: /deliveries/,
    receiver: (receiver, { session, tookHold }) => ({
      deliver: (delivery) => {
        if (delivery.key !== undefined) {
          receiver.deliver(delivery);
          return;
        }
        tookHold();
        session.settle(delivery);
      },
    }),
  },
  {
    name: 'a key that is no term is replaced',
    by: 'a message whose key is no term',
    says: /the key: expected 6 bytes/,
    receiver: delivering(() => ({ key: new Uint8Array(0) })),
  },
  {
    name: 'the window is ignored',
    by: 'no more than prefetch deliveries are unsettled',
    says: /unsettled deliveries, but prefetch is 5/,
    prefetch: () => 1_000,
  },
  {
    name: 'the window is one too large',
    by: 'with a prefetch of 1 messages come one at a time',
    says: /unsettled deliveries, but prefetch is 1/,
    prefetch: (asked) => asked + 1,
  },
  {
    name: 'the window is one too small',
    by: 'no more than prefetch deliveries are unsettled',
    says: /to get 5 deliveries; meanwhile/,
    prefetch: (asked) => asked - 1,
  },
  {
    name: 'all shards share one window',
    by: 'a shard whose window is full does not hold up another',
    says: /deliveries/,
    broker: ({ shards }, { prefetch, tookHold }) => {
      for (const { queue } of shards) {
        replaceMethod(queue, 'take', (take) => () => {
          if (shards.reduce((sum, each) => sum + each.queue.unsettled.size, 0) < prefetch) return take();
          if (queue.ready.length > 0) tookHold();
          return undefined;
        });
      }
    },
  },
  {
    name: 'the first of a window is delivered last',
    by: 'the messages of a shard arrive in the order of the publish calls',
    says: /the order of publish calls/,
    receiver: (receiver, { tookHold }) => ({
      deliver: (delivery) => {
        if (delivery.messageId !== 'm1') {
          receiver.deliver(delivery);
          return;
        }
        tookHold();
        void later().then(() => receiver.deliver(delivery));
      },
    }),
  },
];

function withHeaders(change: (value: HeaderValue) => HeaderValue): NonNullable<Mutant['publish']> {
  return changing((message: OutgoingMessage) => {
    const headers = Object.entries(message.headers).map(([name, value]) => [name, change(value)]);
    return { ...message, headers: Object.fromEntries(headers) as OutgoingMessage['headers'] };
  });
}
