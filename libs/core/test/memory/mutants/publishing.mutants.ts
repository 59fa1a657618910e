import { systemClock } from '../../../src/index.js';
import { later, type Mutant } from './mutant.js';

const IN_ORDER = 'publishes wait while the broker is blocked';

/** Publishes that promise too much, or too little. */
export const publishingMutants: readonly Mutant[] = [
  {
    name: 'a connection promises to keep what it does not',
    by: 'a connection tells whether messages outlive the process',
    says: /whether messages are durable/,
    connection: (connection, { tookHold }) => {
      if (!connection.durable) tookHold();
      return { durable: true };
    },
  },
  {
    name: 'a publish is confirmed before the broker has it',
    by: 'what was published before a crash of the producer arrives',
    says: /deliveries/,
    publish:
      (publisher, { tookHold }) =>
      async (message, timeout) => {
        tookHold();
        void later()
          .then(() => publisher.publish(message, timeout))
          .catch(() => undefined);
      },
  },
  {
    name: 'a publish ignores that the broker is blocked',
    by: IN_ORDER,
    says: /publishes were taken though the broker was blocked/,
    publish:
      (publisher, { broker, tookHold }) =>
      async (message, timeout) => {
        if (broker.admission.blocked) tookHold();
        void publisher.publish(message, timeout).catch(() => undefined);
      },
  },
  {
    name: 'a publish ignores its time-out',
    by: IN_ORDER,
    says: /the publish of probe/,
    publish:
      (publisher, { tookHold }) =>
      (message, timeout) => {
        if (timeout !== Infinity) tookHold();
        return publisher.publish(message, Infinity);
      },
  },
  {
    name: 'a publish that times out rejects with any error',
    by: IN_ORDER,
    says: /must reject with PublishTimeoutError/,
    publish:
      (publisher, { tookHold }) =>
      (message, timeout) =>
        publisher.publish(message, timeout).catch(() => {
          tookHold();
          throw new Error('too late');
        }),
  },
  {
    name: 'publishes that waited go through out of order',
    by: IN_ORDER,
    says: /the order of the calls/,
    publish: (publisher, { broker: { admission }, tookHold }) => {
      let calls = 0;
      return async (message, timeout) => {
        calls++;
        if (admission.blocked && timeout === Infinity && calls % 2 === 0) {
          tookHold();
          await admission.taking();
          await later();
        }
        return publisher.publish(message, timeout);
      };
    },
  },
  {
    name: 'publishes with a time-out overtake the others',
    by: 'a publish with a short time-out is no less ordered',
    says: /the order of the calls/,
    publish:
      (publisher, { tookHold }) =>
      async (message, timeout) => {
        if (timeout === Infinity) {
          tookHold();
          await later();
        }
        return publisher.publish(message, timeout);
      },
  },
  {
    name: 'a publish that waits is forgotten when its connection is closed',
    by: 'a publish that waits is rejected when its connection is closed',
    says: /the publish that waits to be rejected/,
    publish:
      (_publisher, { broker: { admission }, tookHold }) =>
      (message, timeout) => {
        if (admission.blocked) tookHold();
        return admission.publish(message, timeout, { clock: systemClock });
      },
  },
  {
    name: 'a closed connection publishes',
    by: 'a publish after the connection was closed is rejected',
    says: /a publish had to be rejected/,
    publish:
      (_publisher, { broker: { admission }, connection, tookHold }) =>
      (message, timeout) => {
        if (!connection.status().connected) tookHold();
        return admission.publish(message, timeout, { clock: systemClock });
      },
  },
  {
    name: 'a closed connection refuses with any error',
    by: 'a publish after the connection was closed is rejected',
    says: /must reject with PublishError/,
    publish:
      (publisher, { tookHold }) =>
      (message, timeout) =>
        publisher.publish(message, timeout).catch(() => {
          tookHold();
          throw new Error('closed');
        }),
  },
];
