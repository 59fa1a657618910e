import { sharedUrl } from '../support/broker.js';
import { deleteQueues } from '../support/raw-broker.js';
import { SampleProcess } from '../support/sample-process.js';

describe('npm run orders -- --rabbitmq', () => {
  afterAll(async () => {
    await SampleProcess.endAll();
    await deleteQueues(sharedUrl(), 'orders_', 8);
  });

  it('verifies the same orders over RabbitMQ, also where another run has left its queues', async () => {
    for (let run = 0; run < 2; run++) {
      const orders = new SampleProcess('orders', [`--rabbitmq=${sharedUrl()}`]);
      expect({ status: await orders.ended, errors: orders.errors }).toEqual({ status: 0, errors: '' });
      expect(orders.lastLine).toBe('VERIFIED: each order went through its life in order');
    }
  });
});
