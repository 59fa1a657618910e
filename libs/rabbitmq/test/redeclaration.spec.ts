import type { ChannelModel } from 'amqplib';
import { FakeClock, settled } from '../../core/test/support/fake-clock.js';
import type { BrokerConnection } from '../src/connection/broker-connection.js';
import { RabbitMqSetupError } from '../src/errors/rabbitmq.errors.js';
import { RareWarnings } from '../src/ownership/rare-warnings.js';
import { Redeclaration } from '../src/topology/redeclaration.js';
import type { Topology } from '../src/topology/topology.js';

const never = (): Promise<void> => new Promise(() => undefined);

/** A redeclaration whose declarations end as they are told, one after the other, and then never. */
function setUp(...ends: (() => Promise<void>)[]) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const connection: { current: ChannelModel | undefined } = { current: {} as ChannelModel };
  const declared: unknown[] = [];
  const declare = (model: unknown): Promise<void> => {
    declared.push(model);
    return (ends.shift() ?? never)();
  };
  const redeclaration = new Redeclaration(
    { declare } as unknown as Topology,
    connection as unknown as BrokerConnection,
    clock,
    new RareWarnings({ log, warn: log, error: log }, clock),
  );
  let isReady = false;
  const model = connection.current!;
  void redeclaration.ready(model).then(() => (isReady = true));
  return { clock, lines, connection, declared, redeclaration, isReady: () => isReady };
}

test('queues that could not be declared for once are declared soon after', async () => {
  const fails = (): Promise<void> => Promise.reject(new Error('not now'));
  const { clock, lines, declared, isReady } = setUp(fails, fails, () => Promise.resolve());
  await settled();
  expect(isReady()).toBe(false);
  await clock.advance(1_000);
  expect(isReady()).toBe(true);
  expect(declared).toHaveLength(3);
  expect(lines).toEqual(['The queues cannot be declared: not now']);
});

test('a refusal is not asked for again', async () => {
  const { isReady, declared } = setUp(() => Promise.reject(new RabbitMqSetupError('another count')));
  await settled();
  expect(isReady()).toBe(true);
  expect(declared).toHaveLength(1);
});

test('a declaration that hangs is not waited for without end', async () => {
  const { clock, isReady } = setUp();
  await clock.advance(4_999);
  expect(isReady()).toBe(false);
  await clock.advance(1);
  expect(isReady()).toBe(true);
});

test('one declaration serves all who ask meanwhile, and each connection has its own', async () => {
  const { declared, redeclaration, connection } = setUp();
  redeclaration.again();
  redeclaration.again();
  expect(declared).toHaveLength(1);
  connection.current = {} as ChannelModel;
  redeclaration.again();
  expect(declared).toHaveLength(2);
});
