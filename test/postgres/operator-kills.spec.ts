import { setTimeout as delay } from 'node:timers/promises';
import { refOf, type Applied, type MessageRef } from '@mississippi/history';
import { upTo } from '../support/applied-app.js';
import { History } from '../support/history.js';
import { Administrator, newSchema } from '../support/postgres-schemas.js';
import { sharedPostgres } from '../support/postgres.js';
import { Seeded } from '../support/seeded.js';
import { WorkerProcess } from '../support/worker-process.js';
import { keysNamed } from '../support/workload.js';

const POISONED = 'poisoned';
const EDITED = 'edited';
const KEYS = [POISONED, EDITED, ...keysNamed('other', 10)];
const COUNT = 60;
const OPTIONS = { failurePolicy: { attempts: Infinity, backoff: { initial: 20, max: 50 } } };
/** Milliseconds within which an action has begun, and may have ended. */
const LONGEST = 15;
const WHO = { by: 'the test', reason: 'a kill' };
/** Number of the outcome `dropped` in the inbox. */
const DROPPED = 3;

const administrator = new Administrator();
let schema: string;
let history: History;
let worker: WorkerProcess;

beforeEach(() => {
  schema = newSchema();
  history = new History();
});

afterEach(async () => {
  if (worker.alive) await worker.kill();
  await administrator.run(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
});

afterAll(() => administrator.close());

async function start(name: string, failing: readonly string[]): Promise<void> {
  const store = { connectionString: sharedPostgres(), schema };
  worker = await WorkerProcess.start({ name, history, store, failing, options: OPTIONS });
}

const operate = (call: string, ...args: unknown[]): Promise<unknown> => worker.ask({ command: 'operate', call, args });

/** Publishes what is not confirmed, in order, and returns what is not confirmed then. */
async function publish(refs: readonly MessageRef[]): Promise<MessageRef[]> {
  const left: MessageRef[] = [];
  await Promise.all(
    refs.map(async (ref) => {
      try {
        await worker.ask({ command: 'publish', ...ref });
        history.publisher.record({ type: 'confirmed', ...ref });
      } catch {
        left.push(ref);
      }
    }),
  );
  return refs.filter((ref) => left.includes(ref));
}

async function stateOf(key: string): Promise<{ state: Applied; version: number } | undefined> {
  return (await operate('state', key)) as { state: Applied; version: number } | undefined;
}

/** What is done before the process is killed in the midst of the action, and the action. */
const ACTIONS: Record<string, () => Promise<unknown>> = {
  retry: () => operate('retry', POISONED),
  drop: () => operate('drop', POISONED),
  dropAll: async () => {
    await operate('pause', POISONED);
    return operate('dropAll', POISONED);
  },
  pause: () => operate('pause', POISONED),
  resume: async () => {
    await operate('pause', POISONED);
    worker.heal();
    return operate('resume', POISONED);
  },
  deactivate: () => operate('deactivate', EDITED),
  editState: async () => {
    const found = await stateOf(EDITED);
    const state = { change: 0, seqs: [], marks: ['edited'], ...found?.state };
    return operate('editState', EDITED, { ...state, marks: ['edited'] }, { version: found?.version, ...WHO });
  },
  forgetState: async () => operate('forgetState', EDITED, { version: (await stateOf(EDITED))?.version ?? 1, ...WHO }),
};

/** What has become of the messages so far. */
async function effects() {
  const { entries } = (await operate('audit')) as { entries: { previous: Applied; action: string }[] };
  const forgotten = entries.filter(({ action }) => action === 'forgotten').flatMap(({ previous }) => previous.seqs);
  const dropped = await administrator.value(`SELECT count(*)::int FROM ${schema}.inbox WHERE outcome = ${DROPPED}`);
  const seqs = new Map<string, readonly number[]>();
  for (const key of KEYS) seqs.set(key, (await stateOf(key))?.state.seqs ?? []);
  seqs.set(EDITED, [...forgotten, ...seqs.get(EDITED)!]);
  const edits = entries.filter(({ action }) => action === 'edited').length;
  return { seqs, dropped: Number(dropped), edits };
}

async function untilAllIsDone(): Promise<Awaited<ReturnType<typeof effects>>> {
  for (; ; await delay(50)) {
    const found = await effects();
    const done = [...found.seqs.values()].reduce((sum, { length }) => sum + length, found.dropped);
    if (done >= COUNT * KEYS.length) return found;
  }
}

test.each(Object.keys(ACTIONS))(
  'an embedded process that is killed in the midst of %s leaves each message with its effect, once and in order',
  async (call) => {
    const random = new Seeded(Object.keys(ACTIONS).indexOf(call) + 1);
    await start('first', [POISONED]);
    const refs = upTo(COUNT).flatMap((seq) => KEYS.map((key) => refOf(key, seq)));
    for (const ref of refs) history.publisher.record({ type: 'published', ...ref });
    if (call.startsWith('drop')) history.test.record({ type: 'operator', call: 'drop', key: POISONED });
    const publishing = publish(refs);
    await history.until('it is under load', () => history.handled > 50 && history.count('failed') > 0);
    const acting = ACTIONS[call]!().catch(() => undefined);
    await delay(random.below(LONGEST));
    await worker.kill();
    await acting;
    const left = await publishing;
    history.publisher.record({ type: 'interrupted' });
    await start('second', []);
    expect(await publish(left)).toEqual([]);
    const { seqs, dropped, edits } = await untilAllIsDone();
    for (const key of KEYS) {
      const missing = key === POISONED ? dropped : 0;
      expect([key, seqs.get(key)!.length]).toEqual([key, COUNT - missing]);
      expect(seqs.get(key)).toEqual(upTo(COUNT).filter((seq) => missing === 0 || seqs.get(key)!.includes(seq)));
    }
    expect((await stateOf(EDITED))!.state.marks).toHaveLength(edits);
    if (!call.startsWith('drop')) expect(dropped).toBe(0);
    await worker.stop();
    const { violations } = history.check({ settlesLater: true });
    // What was committed when the process was killed never comes again: its broker is gone with it, and its row in the outbox with the commit.
    const unexplained = violations.filter(({ promise }) => promise !== 'unsettled');
    // What was dropped is settled by its commit, of which the history knows nothing.
    expect(call.startsWith('drop') ? [] : unexplained).toEqual([]);
  },
);
