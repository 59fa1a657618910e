import { rabbitmq } from '@mississippi/rabbitmq';
import { ACTIONS } from '../../support/load/actions.js';
import type { Ground } from '../../support/load/load.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';

let node: RabbitMqNode;
let runs = 0;

beforeAll(async () => {
  node = await RabbitMqNode.start();
});
afterAll(() => node.stop());

function onQueues(type: 'classic' | 'quorum'): Ground {
  const queues = { prefix: `load${++runs}_`, totalCount: 8, type };
  return { transport: () => rabbitmq({ urls: [node.url], claimInterval: 100, queues }), limits: {} };
}

describe.each(['classic', 'quorum'] as const)('under load, on %s queues, an operator', (type) => {
  test.each(ACTIONS)('%s', async (_name, act) => {
    await act({ ground: onQueues(type), steps: 300 });
  });
});
