import { memory, memoryStore, type MississippiOperator } from '@mississippi/core';
import type { Applied } from '@mississippi/history';
import { mark, startAppliedApp, upTo, type AppliedApp } from '#support/applied-app.js';
import { History } from '#support/history.js';
import { Seeded } from '#support/seeded.js';
import { keysNamed, Workload } from '#support/workload.js';

const OTHERS = keysNamed('other', 20);
const POISONED = 'poisoned';
const COUNT = 150;
const FAILURES = { failurePolicy: { attempts: Infinity, backoff: { initial: 5, max: 60_000 } } };

let app: AppliedApp;

afterEach(() => app.close());

/** An embedded app under load, one key of which fails until it is healed. */
async function poisoned() {
  const history = new History();
  let healthy = false;
  const work = async ({ key }: { key: string }): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (key === POISONED && !healthy) throw new Error('refused for now');
  };
  app = await startAppliedApp({ history, work, options: FAILURES, transport: memory({ totalCount: 4 }) });
  const { operator, producer } = app;
  const random = new Seeded(5);
  const others = new Workload(producer, history, { keys: OTHERS, random, backlog: 200 });
  const own = new Workload(producer, history, { keys: [POISONED], random });
  await own.publishKey(POISONED, COUNT);
  const publishing = others.publish();
  await history.until(
    'others are handled, and the key failed',
    () => history.handled > 200 && history.count('failed') > 1,
  );
  return {
    operator,
    history,
    random,
    own,
    heal: () => void (healthy = true),
    /** Everything is handled or was dropped, in order, each message once, and the load went on all the while. */
    end: async (dropped: number): Promise<void> => {
      const { handled } = history;
      await history.until('the others go on', () => history.handled > handled + 200);
      others.stop();
      await publishing;
      await history.untilNothingOpen();
      await app.close();
      const { violations, duplicates } = history.check({ ackDelay: 0 });
      expect({ violations, duplicates }).toEqual({ violations: [], duplicates: 0 });
      expect(history.handledWhere((key) => key === POISONED)).toBe(own.published().length - dropped);
      expect(history.count('deadLettered')).toBe(dropped);
    },
  };
}

/** Asks again while the first message has an attempt. */
async function whileItRuns(call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if ((error as { state?: unknown }).state !== 'running') throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function pause(operator: MississippiOperator, history: History): Promise<void> {
  await operator.pause(POISONED);
  await history.until('the key was parked', () => history.count('parked') >= COUNT);
}

describe('under load, embedded, an operator', () => {
  test('retries a key', async () => {
    const { operator, history, heal, end } = await poisoned();
    const failed = history.count('failed');
    for (let time = 1; time <= 5; time++) {
      await whileItRuns(() => operator.retry(POISONED));
      await history.until('it was tried', () => history.count('failed') >= failed + time);
    }
    heal();
    await whileItRuns(() => operator.retry(POISONED));
    await end(0);
  });

  test('drops messages of a key one by one', async () => {
    const { operator, history, heal, end } = await poisoned();
    history.test.record({ type: 'operator', call: 'drop', key: POISONED });
    for (let time = 0; time < 10; time++) await whileItRuns(() => operator.drop(POISONED));
    heal();
    await whileItRuns(() => operator.retry(POISONED)).catch(() => undefined);
    await end(10);
  });

  test('drops all messages of a key, and what comes later is handled', async () => {
    const { operator, history, own, heal, end } = await poisoned();
    await pause(operator, history);
    history.test.record({ type: 'operator', call: 'drop', key: POISONED });
    expect(await operator.dropAll(POISONED)).toBe(COUNT);
    await own.publishKey(POISONED, 20);
    heal();
    await operator.resume(POISONED);
    await end(COUNT);
  });

  test('pauses and resumes a key, again and again, while it gets messages', async () => {
    const { operator, history, own, heal, end } = await poisoned();
    await pause(operator, history);
    heal();
    for (let time = 1; time <= 10; time++) {
      const more = own.publishKey(POISONED, 20);
      await operator.resume(POISONED);
      await operator.pause(POISONED);
      await more;
    }
    await operator.resume(POISONED);
    await end(0);
  });

  test('deactivates keys that are busy', async () => {
    const { operator, random, history, heal, end } = await poisoned();
    heal();
    await whileItRuns(() => operator.retry(POISONED)).catch(() => undefined);
    for (let time = 0; time < 100; time++) await operator.deactivate(random.pick([...OTHERS, POISONED]));
    await end(0);
    const ends = history.events.filter((event) => event.type === 'ended' && event.callback === 'terminate');
    expect(ends.length).toBeGreaterThan(OTHERS.length + 1);
  });
});

/** An embedded app with a store under load, one key of which gets a message now and then. */
async function kept() {
  const history = new History();
  app = await startAppliedApp({ history, store: memoryStore(), transport: memory({ totalCount: 4 }) });
  const { operator, producer } = app;
  const random = new Seeded(6);
  const others = new Workload(producer, history, { keys: OTHERS, random, pipeline: 8, backlog: 20 });
  const own = new Workload(producer, history, { keys: [POISONED], random });
  let flows = true;
  const flow = async (): Promise<void> => {
    // With pauses, or each version would be gone before it could be named.
    while (flows) {
      await own.publishKey(POISONED, 1 + random.below(3));
      await new Promise((resolve) => setTimeout(resolve, random.below(10)));
    }
  };
  const publishing = Promise.all([flow(), others.publish()]);
  const ownHandled = (): number => history.handledWhere((key) => key === POISONED);
  return {
    operator,
    more: async (): Promise<void> => {
      const handled = ownHandled();
      await history.until('more was handled', () => ownHandled() > handled + 3);
    },
    end: async (): Promise<number> => {
      flows = false;
      others.stop();
      await publishing;
      const count = others.published().length + own.published().length;
      // What is settled is committed.
      await history.until('all was settled', () => history.count('settled') >= count);
      const { violations, duplicates } = history.check({ ackDelay: 0, settlesLater: true });
      expect({ violations, duplicates }).toEqual({ violations: [], duplicates: 0 });
      return own.published().length;
    },
  };
}

describe('under load, embedded, with a store, an operator', () => {
  test('edits a state, and no effect of a message is lost', async () => {
    const { operator, more, end } = await kept();
    const names = upTo(20).map((index) => `mark ${index}`);
    for (const name of names) {
      await mark(operator, POISONED, name);
      await more();
    }
    const count = await end();
    const { state } = (await operator.state<Applied>(POISONED))!;
    expect(state).toMatchObject({ seqs: upTo(count), marks: names });
  });

  test('forgets a state, and the trail has the effects that it had', async () => {
    const { operator, more, end } = await kept();
    for (let time = 0; time < 10; time++) {
      await more();
      await forget(operator, POISONED);
    }
    await more();
    const count = await end();
    const { entries } = await operator.audit({ key: POISONED });
    const before = entries.toReversed().flatMap(({ previous }) => (previous as Applied).seqs);
    const { state } = (await operator.state<Applied>(POISONED))!;
    expect(entries).toHaveLength(10);
    expect([...before, ...state!.seqs]).toEqual(upTo(count));
  });
});

/** Looks and forgets, and looks again where the state has changed meanwhile. */
async function forget(operator: MississippiOperator, key: string): Promise<void> {
  for (;;) {
    const version = (await operator.state(key))?.version ?? 1;
    try {
      await operator.forgetState(key, { version, by: 'the test', reason: 'load' });
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'state_version') throw error;
    }
  }
}
