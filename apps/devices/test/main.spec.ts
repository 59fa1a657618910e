import { SampleProcess } from '#support/sample-process.js';

describe('npm run devices', () => {
  afterEach(() => SampleProcess.endAll());

  it('says in one line that no RabbitMQ can be reached, and ends with status 1', async () => {
    const devices = new SampleProcess('devices', ['--rabbitmq=amqp://127.0.0.1:1']);
    expect(await devices.ended).toBe(1);
    expect(devices.errors).toMatch(/^No RabbitMQ could be reached at [^\n]*\n$/);
  });
});
