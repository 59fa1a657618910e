import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEntry } from '@mississippi/core';
import type { Applied } from '@mississippi/history';
import { postgres } from '@mississippi/postgres';
import { rabbitmq } from '@mississippi/rabbitmq';
import { mark, startOperatingApp, upTo } from '../../support/applied-app.js';
import { History } from '../../support/history.js';
import { hasPostgres, PostgresServer } from '../../support/postgres-server.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';
import { Seeded } from '../../support/seeded.js';
import { WorkerProcess } from '../../support/worker-process.js';
import { keysOnShard, Workload } from '../../support/workload.js';

const TOTAL = 8;
const SHARD = 5;
const [EDITED] = keysOnShard(SHARD, TOTAL, 'edited', 1) as [string];
const OTHERS = keysOnShard(SHARD, TOTAL, 'other', 10);
const KILLS = 6;
/** Milliseconds within which an edit ends where nobody is killed. */
const LONGEST_EDIT = 25;

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A broker and a database of one's own, an operator in a process that owns nothing, and load. */
async function stage() {
  const [node, server] = await Promise.all([RabbitMqNode.start(), PostgresServer.start()]);
  ends.push(async () => {
    await Promise.all([node.stop(), server.stop()]);
  });
  const rabbit = { urls: [node.url], claimInterval: 100, queues: { prefix: 'edits_', totalCount: TOTAL } };
  const store = { connectionString: server.url, schema: 'edits' };
  const history = new History();
  const { producer, operator, close } = await startOperatingApp(rabbitmq(rabbit), postgres(store));
  ends.push(close);
  const start = async (name: string): Promise<WorkerProcess> => {
    const worker = await WorkerProcess.start({ name, history, rabbit, store });
    ends.push(async () => (worker.alive ? worker.kill() : undefined));
    return worker;
  };
  const random = new Seeded(3);
  const edited = new Workload(producer, history, { keys: [EDITED], random });
  const others = new Workload(producer, history, { keys: OTHERS, random, backlog: 50 });
  let flows = true;
  const flow = async (): Promise<void> => {
    // With pauses, or each version would be gone before it could be named.
    for (; flows; await delay(random.below(60))) await edited.publishKey(EDITED, 1 + random.below(3));
  };
  const load = (): Promise<unknown> => Promise.all([flow(), others.publish()]);
  const calm = (): void => {
    flows = false;
    others.stop();
  };
  ends.push(async () => calm());
  return { history, operator, start, edited, load, calm, random };
}

if (hasPostgres()) {
  test('an edit whose owner is killed has happened with its entry in the trail, or not at all, and no effect of a message is lost', async () => {
    const { history, operator, start, edited, load, calm, random } = await stage();
    let worker = await start('w0');
    const loaded = load();
    const outcomes: string[] = [];
    for (let kill = 1; kill <= KILLS; kill++) {
      const handled = history.handledWhere((key) => key === EDITED);
      await history.until('the key goes on', () => history.handledWhere((key) => key === EDITED) > handled + 5);
      const edit = mark(operator, EDITED, `mark ${kill}`).then(
        () => 'edited',
        (error: { code: string }) => error.code,
      );
      await delay(random.below(LONGEST_EDIT));
      await worker.kill();
      worker = await start(`w${kill}`);
      outcomes.push(await edit);
    }
    calm();
    await loaded;
    await history.untilNothingOpen();
    await mark(operator, EDITED, 'the last');
    const { entries } = await operator.audit({ key: EDITED });
    const { seqs, marks } = (await operator.state<Applied>(EDITED))!.state!;
    await worker.stop();
    expect(history.check({ settlesLater: true }).violations).toEqual([]);
    expect(seqs).toEqual(upTo(edited.published().length));
    expect(marks).toEqual(reasons(entries));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === 'edited') expect(marks).toContain(`mark ${index + 1}`);
    }
  }, 180_000);
}

/** From the oldest on. */
function reasons(entries: readonly AuditEntry[]): string[] {
  return entries.map(({ reason }) => reason).toReversed();
}
