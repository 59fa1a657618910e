import { FakeClock } from '../../../core/test/support/fake-clock.js';
import { Coordinator } from '../../src/coordination/coordinator.js';
import type { Answer, Asked, IntakeRequest } from '../../src/coordination/operator-mail.js';
import type { TypePauses } from '../../src/coordination/pauses.js';
import type { Mail } from '../../src/coordination/ports.js';
import type { Order, Report } from '../../src/coordination/reports.js';

const TOTAL = 4;

/** Something in the coordinator's queue. */
interface Letter {
  readonly bring: (to: Coordinator, mail: Mail) => void;
  readonly address: string | undefined;
  readonly question?: string;
  again: boolean;
}

/** The coordinator's queue, whoever consumes it. */
class Queue {
  readonly clock = new FakeClock();
  readonly orders: [address: string, order: Order][] = [];
  readonly answers: [question: string | undefined, answer: Answer][] = [];
  readonly forwarded: [address: string, request: IntakeRequest][] = [];
  readonly kept: TypePauses[] = [];
  /** Whether what is to be kept is confirmed. */
  confirms = true;
  /** Whether marks are written. */
  marks = true;
  /** Whether what is written comes back. */
  brings = true;
  counted = 0;
  private letters: Letter[] = [];
  private reader: Coordinator | undefined;
  private coordinators = 0;

  /** The coordinator dies, and another one follows: it gets all that is unsettled. */
  coordinate(): void {
    this.reader?.stop();
    const { clock } = this;
    const broker = {
      consumers: () => Promise.resolve(0),
      members: () => Promise.resolve(this.counted),
      isAlive: () => Promise.resolve(true),
      order: async (address: string, order: Order) => void this.orders.push([address, order]),
      tell: () => Promise.resolve(),
      answer: async ({ question }: Pick<Mail, 'question'>, answer: Answer) =>
        void this.answers.push([question, answer]),
      forward: async (address: string, request: IntakeRequest) => void this.forwarded.push([address, request]),
      keep: async (pauses: TypePauses) => {
        this.kept.push(pauses);
        this.write({ bring: (to, mail) => to.kept(pauses, mail), address: undefined });
        if (!this.confirms) await new Promise(() => undefined);
      },
      mark: async (id: string) => {
        if (this.marks) this.write({ bring: (to, mail) => to.marked(id, mail), address: undefined });
      },
    };
    const hooks = { looked: () => undefined, failed: (error: unknown) => expect(error).toBeUndefined() };
    this.reader = new Coordinator(`coordinator ${++this.coordinators}`, TOTAL, broker, clock, hooks);
    for (const letter of this.letters.slice()) {
      letter.again = true;
      this.bring(letter);
    }
  }

  ask(question: string, asked: Asked): void {
    this.write({ bring: (to, mail) => to.requested(asked, mail), address: `operator ${question}`, question });
  }

  pauseType(question: string, type: string, paused = true): void {
    this.ask(question, { call: 'type', type, paused, by: '' });
  }

  /** A member says something. */
  report(id: string, seq: number, more: Partial<Report> = {}): void {
    const rest = { had: [], owned: [], leaving: [], unable: [], verified: [], done: '', connected: true, left: false };
    const said = { id, seq, name: `process ${id}`, application: 'app', totalCount: TOTAL, weight: 1, most: Infinity };
    const report: Report = { ...rest, ...said, ...more };
    this.write({ bring: (to, mail) => to.reported(report, mail), address: id });
  }

  /** Lets everything come to rest that is due soon. */
  rest(): Promise<void> {
    return this.clock.advance(50);
  }

  /** What a member was told last. */
  toldTo(id: string): Order | undefined {
    return this.orders.findLast(([address]) => address === id)?.[1];
  }

  /** What the queue still has of the types that are paused. */
  get unsettled(): number {
    return this.letters.filter(({ address }) => address === undefined).length;
  }

  get requests(): number {
    return this.letters.filter(({ question }) => question !== undefined).length;
  }

  private write(letter: Omit<Letter, 'again'>): void {
    const written = { ...letter, again: false };
    this.letters.push(written);
    if (this.brings) this.bring(written);
  }

  private bring(letter: Letter): void {
    const { address, question, again, bring } = letter;
    const settle = (): void => void (this.letters = this.letters.filter((one) => one !== letter));
    bring(this.reader!, { address, question, again, settle });
  }
}

function setUp(members: readonly string[] = ['a', 'b']): Queue {
  const queue = new Queue();
  queue.counted = members.length;
  queue.coordinate();
  for (const id of members) queue.report(id, 1);
  return queue;
}

const B = { version: 1, types: ['b'] };

test('a type is paused when the queue keeps it and all members say that they know', async () => {
  const queue = setUp();
  await queue.rest(); // What they have reported is answered.
  queue.pauseType('one', 'b');
  await queue.rest();
  expect(queue.kept).toEqual([B]);
  expect([queue.toldTo('a')?.pauses, queue.toldTo('b')?.pauses]).toEqual([B, B]);
  expect(queue.answers).toEqual([['one', { kind: 'begun' }]]);
  queue.report('a', 2, { pauses: B });
  await queue.rest();
  expect(queue.answers).toHaveLength(1);
  queue.report('b', 2, { pauses: B });
  await queue.rest();
  expect(queue.answers.at(-1)).toEqual(['one', { kind: 'done' }]);
  expect([queue.unsettled, queue.requests]).toEqual([1, 0]);
});

test('a type is not paused before what the queue keeps is safe there', async () => {
  const queue = setUp(['a']);
  queue.confirms = false;
  queue.pauseType('one', 'b');
  await queue.rest();
  queue.report('a', 2, { pauses: B });
  await queue.rest();
  expect(queue.answers).toEqual([['one', { kind: 'begun' }]]);
  queue.confirms = true;
  await queue.clock.advance(1_500);
  expect(queue.answers.at(-1)).toEqual(['one', { kind: 'done' }]);
});

test('whoever joins is told with his first order, and nobody is told before the queue was read to its end', async () => {
  const queue = setUp();
  queue.pauseType('one', 'b');
  await queue.rest();
  queue.report('c', 1);
  await queue.rest();
  expect(queue.orders.filter(([address]) => address === 'c')[0]![1].pauses).toEqual(B);

  const late = new Queue();
  late.marks = false;
  late.coordinate();
  late.report('a', 1);
  await late.rest();
  expect(late.orders).toEqual([]);
  late.marks = true;
  await late.clock.advance(1_500);
  expect(late.toldTo('a')?.claim).toEqual([0, 1, 2, 3]);
});

test('what is paused outlives the coordinator, and its request is decided once', async () => {
  const queue = setUp();
  queue.pauseType('one', 'b');
  await queue.rest();
  queue.coordinate();
  queue.report('c', 1);
  await queue.rest();
  expect(queue.toldTo('c')?.pauses).toEqual(B);
  for (const id of ['a', 'b', 'c']) queue.report(id, 2, { pauses: B });
  await queue.rest();
  expect(queue.kept).toEqual([B]);
  expect(queue.answers.at(-1)).toEqual(['one', { kind: 'done' }]);
  expect([queue.unsettled, queue.requests]).toEqual([1, 0]);
});

test('a coordinator that dies before its decision is in the queue has decided nothing: the next one does', async () => {
  const queue = setUp();
  await queue.rest();
  queue.brings = false;
  queue.pauseType('one', 'b');
  await queue.rest();
  expect(queue.kept).toEqual([]);
  queue.brings = true;
  queue.coordinate();
  await queue.rest();
  expect(queue.kept).toEqual([B]);
});

test('requests are decided one after the other, and a resumption leaves its number', async () => {
  const queue = setUp([]);
  queue.report('a', 1);
  queue.pauseType('one', 'b');
  queue.pauseType('two', 'c');
  queue.pauseType('three', 'b', false);
  queue.pauseType('four', 'c', false);
  await queue.rest();
  expect(queue.kept).toEqual([
    B,
    { version: 2, types: ['b', 'c'] },
    { version: 3, types: ['c'] },
    { version: 4, types: [] },
  ]);
  queue.report('a', 2, { pauses: { version: 4, types: [] } });
  await queue.rest();
  const done = queue.answers.flatMap(([question, { kind }]) => (kind === 'done' ? [question] : []));
  expect(done).toEqual(['one', 'two', 'three', 'four']);
  expect(queue.unsettled).toBe(1);
  queue.coordinate();
  queue.report('stale', 1, { pauses: { version: 3, types: ['c'] } });
  await queue.rest();
  expect(queue.toldTo('stale')?.pauses).toEqual({ version: 4, types: [] });
});

test('what was asked twice is the same, and is answered', async () => {
  const queue = setUp(['a']);
  queue.pauseType('one', 'b');
  await queue.rest();
  queue.report('a', 2, { pauses: B });
  queue.pauseType('two', 'b');
  await queue.rest();
  expect(queue.kept).toEqual([B]);
  expect(queue.answers.at(-1)).toEqual(['two', { kind: 'done' }]);
});

test('where the queue was deleted, what members know is kept again', async () => {
  const queue = setUp([]);
  queue.report('a', 1, { pauses: B });
  queue.report('b', 1);
  await queue.rest();
  expect(queue.kept).toEqual([B]);
  expect(queue.toldTo('b')?.pauses).toEqual(B);
  expect(queue.unsettled).toBe(1);
});

test('what is kept is written anew now and then, since a quorum queue keeps all that came after it', async () => {
  const queue = setUp(['a']);
  queue.pauseType('one', 'b');
  await queue.rest();
  for (let minute = 0; minute < 3; minute++) await queue.clock.advance(60_500);
  expect(queue.kept.length).toBeGreaterThanOrEqual(3);
  expect(new Set(queue.kept.map(({ version }) => version))).toEqual(new Set([1]));
  expect(queue.unsettled).toBe(1);
});

test('one that takes no actions from others keeps types from being paused, but for his own request', async () => {
  const queue = setUp(['a']);
  queue.report('b', 1, { guarded: true });
  queue.pauseType('one', 'b');
  await queue.rest();
  expect(queue.answers).toEqual([['one', { kind: 'guarded', process: 'process b' }]]);
  queue.ask('two', { call: 'type', type: 'b', paused: true, by: 'b' });
  await queue.rest();
  expect(queue.kept).toEqual([B]);
});

test('a request that concerns one process is brought to it', async () => {
  const queue = setUp();
  queue.ask('one', { call: 'intake', process: 'process b', paused: true, by: '' });
  queue.ask('two', { call: 'intake', process: 'nobody', paused: true, by: '' });
  await queue.rest();
  expect(queue.forwarded).toEqual([['b', { paused: true, address: 'operator one', question: 'one' }]]);
  expect(queue.answers).toEqual(
    expect.arrayContaining([
      ['one', { kind: 'begun' }],
      ['two', { kind: 'unknown' }],
    ]),
  );
  expect(queue.requests).toBe(0);
});

test('who is paused has nothing, and the others share all', async () => {
  const queue = setUp([]);
  queue.report('a', 1, { owned: [0, 1], paused: true, most: 0 });
  queue.report('b', 1, { owned: [2, 3] });
  await queue.rest();
  expect(queue.toldTo('a')).toMatchObject({ shed: 2, claim: [] });
  queue.report('a', 2, { done: queue.toldTo('a')!.id, paused: true, most: 0 });
  await queue.clock.advance(500);
  const claimed = queue.orders.flatMap(([address, { claim }]) => (address === 'b' ? claim : []));
  expect(claimed.sort((a, b) => a - b)).toEqual([0, 1]);
});
