import { freePort } from '../support/rabbitmq-node.js';
import { FlightsProcess } from './flights-process.js';

afterEach(async () => FlightsProcess.endAll());

describe('The sample without a RabbitMQ', () => {
  it('says in one line that none can be reached, and ends with status 1', async () => {
    const port = await freePort();
    const flights = new FlightsProcess([`--rabbitmq=amqp://me:secret@127.0.0.1:${port}`, '--exit']);
    expect(await flights.ended).toBe(1);
    expect(flights.errors).toMatch(
      new RegExp(`^No RabbitMQ could be reached at amqp://127.0.0.1:${port} .*ECONNREFUSED.*\n$`),
    );
    expect(flights.output).toBe('');
  });

  it.each([
    [['--rabbitmq=http://localhost'], '--rabbitmq must be a url amqp://host or amqps://host'],
    [['--prefix', 'mine'], '--prefix names queues: it needs --rabbitmq.'],
  ])('explains %j, and ends with status 2', async (args, problem) => {
    const flights = new FlightsProcess(args);
    expect(await flights.ended).toBe(2);
    expect(flights.errors).toContain(problem);
    expect(flights.errors).toContain('Usage: ');
  });
});
