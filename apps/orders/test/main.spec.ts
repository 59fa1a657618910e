import { SampleProcess } from '#support/sample-process.js';

describe('npm run orders', () => {
  afterEach(() => SampleProcess.endAll());

  it('prints the life of each order, and that it is verified', async () => {
    const orders = new SampleProcess('orders', []);
    expect({ status: await orders.ended, errors: orders.errors }).toEqual({ status: 0, errors: '' });
    expect(orders.output).toMatch(/^book: open > paid > shipped, 0 cents due$/m);
    expect(orders.output).toMatch(
      /^lamp: open > paid > cancelled, 0 cents due; refused: only what is paid [^\n]*cancelled$/m,
    );
    expect(orders.output).toMatch(/^sofa: open, 40000 cents due; refused: only what is paid is shipped: it is open$/m);
    expect(orders.lastLine).toBe('VERIFIED: each order went through its life in order');
  });

  it('says in one line that no RabbitMQ can be reached, and ends with status 1', async () => {
    const orders = new SampleProcess('orders', ['--rabbitmq=amqp://127.0.0.1:1']);
    expect(await orders.ended).toBe(1);
    expect(orders.errors).toMatch(/^[^\n]*RabbitMQ[^\n]*\n$/);
  });
});
