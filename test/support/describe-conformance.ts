import { transportConformance } from '@mississippi/testing/transport';
import { privateNode } from './erlang-peer.js';
import { RabbitMqHarness } from './rabbitmq-harness.js';
import type { BrokerNode } from './rabbitmq-node.js';

/** The conformance suite on queues of one type, on a node of its own, because it raises alarms. */
export function describeConformance(type: 'classic' | 'quorum'): void {
  describe(`RabbitMQ with ${type} queues`, () => {
    let node: BrokerNode | undefined;
    let harness: RabbitMqHarness;

    beforeAll(async () => {
      node = await privateNode();
      harness = new RabbitMqHarness(node, type);
    });

    afterAll(async () => {
      await harness.reset();
      await node?.stop();
    });

    for (const { name, run } of transportConformance) test(name, () => run(harness));
  });
}
