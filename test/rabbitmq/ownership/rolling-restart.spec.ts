import { monotonic } from '@mississippi/history';
import { countLeft } from '../../support/broker-view.js';
import { sharedUrl } from '../../support/broker.js';
import { startProducer, type FaultApp } from '../../support/fault-app.js';
import { History } from '../../support/history.js';
import { Seeded } from '../../support/seeded.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { keysNamed, Workload } from '../../support/workload.js';

const TOTAL = 12;
/** Milliseconds. */
const PACE = { usual: 3, slow: 300, every: 20 };

const workers = new Map<string, WorkerProcess>();
let publisher: Pick<FaultApp, 'producer' | 'close'> | undefined;
let workload: Workload | undefined;

afterEach(async () => {
  workload?.stop();
  await publisher?.close();
  for (const worker of workers.values()) if (worker.alive) await worker.kill();
  workers.clear();
});

describe.each(['classic', 'quorum'] as const)('processes on %s queues', (type) => {
  it('that are replaced one after the other lose nothing, keep every order and repeat nothing', async () => {
    const history = new History();
    const prefix = `rolling_${type}_${process.pid}_`;
    const rabbit = { urls: [sharedUrl()], claimInterval: 100, queues: { prefix, totalCount: TOTAL, type } };
    publisher = await startProducer(rabbit);
    workload = new Workload(publisher.producer, history, {
      keys: keysNamed('k', 100),
      random: new Seeded(7),
      backlog: 200,
    });

    const start = async (name: string): Promise<void> => {
      workers.set(name, await WorkerProcess.start({ name, history, rabbit, pace: PACE }));
    };
    const untilHandles = (name: string): Promise<void> =>
      history.until(`${name} handled messages`, () => history.handledBy(name) >= 50);
    const leave = async (name: string): Promise<void> => {
      const worker = workers.get(name)!;
      await worker.hold();
      const asked = monotonic();
      await worker.terminate();
      // Leaving waited for what ran.
      expect(handledAcross(history, name, asked)).toBeGreaterThan(0);
    };

    await Promise.all(['a1', 'b1', 'c1'].map(start));
    const publishing = workload.publish();
    await Promise.all(['a1', 'b1', 'c1'].map(untilHandles));

    await leave('a1'); // First the old one leaves, then the new one starts.
    await start('a2');
    await untilHandles('a2');

    await start('b2'); // First the new one works, then the old one leaves.
    await untilHandles('b2');
    await leave('b1');

    await Promise.all([leave('c1'), start('c2')]);
    await untilHandles('c2');

    workload.stop();
    await publishing;
    await history.untilNothingOpen();
    for (const name of ['a2', 'b2', 'c2']) await workers.get(name)!.terminate();

    expect(history.check()).toMatchObject({ violations: [], duplicates: 0, mostDuplicates: 0 });
    expect(await countLeft(sharedUrl(), prefix, TOTAL)).toBe(0);
    for (const [name, { printed }] of workers) expect({ name, printed }).toEqual({ name, printed: '' });
  });
});

/** How many attempts of a process were under way at a moment, and ended well. */
function handledAcross({ events }: History, name: string, moment: number): number {
  const ofProcess = events.filter(({ process }) => process === name);
  const running = new Set<number>();
  for (const event of ofProcess) if (event.type === 'started' && event.mono < moment) running.add(event.run);
  return ofProcess.filter(
    (event) =>
      event.type === 'ended' &&
      event.callback === 'handleMessage' &&
      event.outcome === 'ok' &&
      event.mono >= moment &&
      running.has(event.run),
  ).length;
}
