import type { ProcessInfo } from '@mississippi/core';
import { startProducer } from '../../support/fault-app.js';
import { History } from '../../support/history.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { keysOnShard } from '../../support/workload.js';
import { cli } from '../../cli/cli-process.js';

const TOTAL = 4;
const PREFIX = 'frozen_';

let node: RabbitMqNode;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  node = await RabbitMqNode.start();
});
afterAll(() => node.stop());
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Two processes, of which the first one coordinates, and an operator beside them. */
async function stage() {
  // So long that nobody takes its place meanwhile.
  const rabbit = {
    urls: [node.url],
    heartbeat: 120,
    claimInterval: 100,
    queues: { prefix: PREFIX, totalCount: TOTAL },
  };
  const { producer, operator, close } = await startProducer(rabbit);
  ends.push(close);
  const history = new History();
  const start = async (name: string): Promise<WorkerProcess> => {
    const worker = await WorkerProcess.start({ name, history, rabbit });
    ends.push(() => worker.kill());
    return worker;
  };
  const owning = async (...counts: number[]): Promise<ProcessInfo[]> => {
    for (let asked = 0; asked < 1_000; asked++) {
      const processes = await operator.processes();
      if (String(processes.map(({ shards }) => shards.length)) === String(counts)) return processes;
    }
    throw new Error(`the processes never owned ${String(counts)}`);
  };
  const first = await start('first');
  await owning(TOTAL);
  const second = await start('second');
  const processes = await owning(TOTAL / 2, TOTAL / 2);
  const { name, shards } = processes.find((process) => process.name.includes(`:${second.pid}:`))!;
  const [key] = keysOnShard(shards[0]!, TOTAL, 'key', 1) as [string];
  await producer.publish({ key, seq: 0 }, { shardingKey: key });
  await history.untilHandled(1);
  return { operator, first, key, name };
}

test('a coordinator that is frozen is told by a code and in words, and the keys of others are seen and served', async () => {
  const { operator, first, key, name } = await stage();
  expect(await operator.key(key)).toMatchObject({ key, process: name });
  process.kill(first.pid, 'SIGSTOP');
  const nobody = { name: 'NobodyAnswersError', code: 'nobody_answers' };
  const words = {
    message: expect.stringMatching(/frozen .* restart the process that hangs: nothing is lost/s) as string,
  };
  await expect(operator.processes()).rejects.toMatchObject({ ...nobody, ...words });
  await expect(operator.keys()).rejects.toMatchObject(nobody);
  expect(await operator.pause(key)).toMatchObject({ key, process: undefined, parkedState: 'held' });

  const env = { MISSISSIPPI_URL: node.url, MISSISSIPPI_PREFIX: PREFIX };
  const status = await cli(['status', '--json'], env);
  expect([status.status, JSON.parse(status.err)]).toEqual([
    3,
    { error: expect.objectContaining({ exitCode: 3, code: 'nobody_answers' }) },
  ]);
  const shown = await cli(['keys', 'show', key, '--json'], env);
  expect([shown.status, JSON.parse(shown.out)]).toEqual([0, expect.objectContaining({ key, trouble: 'parked' })]);
});
