import { Seeded } from '../../../test/support/seeded.js';
import { Outbox } from '../src/publishing/outbox.js';
import { Outstanding } from '../src/publishing/outstanding.js';

/** An outbox with messages of these names, in order. */
function outboxOf(...names: string[]): { outbox: Outbox; messages: Map<string, Outstanding> } {
  return outboxFor(1_000, ...names);
}

/** The same with room for so many that are unconfirmed. */
function outboxFor(most: number, ...names: string[]): { outbox: Outbox; messages: Map<string, Outstanding> } {
  const outbox = new Outbox(most);
  const messages = new Map<string, Outstanding>();
  for (const queue of names) {
    const message = new Outstanding({ exchange: '', queue, body: Buffer.alloc(0), options: {} }, 1_000, 1_000);
    message.done.catch(() => undefined);
    messages.set(queue, message);
    outbox.add(message);
  }
  return { outbox, messages };
}

function messageTo(queue: string): Outstanding {
  return new Outstanding({ exchange: '', queue, body: Buffer.alloc(0), options: {} }, 1_000, 1_000);
}

/** What it gives until it gives no more. */
function takeAll(outbox: Outbox): Outstanding[] {
  const taken: Outstanding[] = [];
  for (let next = outbox.take(); next !== undefined; next = outbox.take()) taken.push(next);
  return taken;
}

const nameOf = (outstanding: Outstanding | undefined): string | undefined => outstanding?.message.queue;
const namesIn = (outbox: Outbox): (string | undefined)[] => [...outbox].map(nameOf);

describe('an outbox', () => {
  test('gives its messages in order, and knows which are not confirmed', () => {
    const { outbox } = outboxOf('a', 'b', 'c');
    const first = outbox.take()!;
    outbox.take();
    outbox.remove(first);
    expect([...outbox.unconfirmed].map(nameOf)).toEqual(['b']);
    expect(namesIn(outbox)).toEqual(['b', 'c']);
  });

  test('gives what was not confirmed again first, in its order, but not to callers who have gone', () => {
    const { outbox, messages } = outboxOf('a', 'b', 'c', 'd');
    for (let taken = 0; taken < 3; taken++) outbox.take();
    messages.get('b')!.finish(new Error('late'));
    outbox.putBack();
    expect(outbox.unconfirmed.size).toBe(0);
    expect([outbox.take(), outbox.take(), outbox.take(), outbox.take()].map(nameOf)).toEqual([
      'a',
      'c',
      'd',
      undefined,
    ]);
  });

  test('keeps nothing of a message whose caller has gone, sent or not', () => {
    const { outbox, messages } = outboxOf('sent', 'waits', 'last');
    outbox.take();
    const late = ['sent', 'waits'].map((name) => messages.get(name)!);
    const bodies = late.map(({ message }) => message);
    for (const one of late) one.expire(new Error('late'));
    outbox.forgetGone();
    expect(namesIn(outbox)).toEqual(['sent', 'last']);
    for (const [index, { message }] of late.entries()) {
      expect(message).not.toBe(bodies[index]);
      expect(message.body).toHaveLength(0);
    }
    outbox.putBack();
    expect(namesIn(outbox)).toEqual(['last']);
    expect(nameOf(outbox.take())).toBe('last');
  });

  test('takes one back that could not be sent, once, whatever happened meanwhile', () => {
    const { outbox } = outboxOf('a', 'b', 'c');
    outbox.take();
    const second = outbox.take()!;
    outbox.untake(second);
    outbox.putBack();
    outbox.untake(second);
    expect(namesIn(outbox)).toEqual(['a', 'b', 'c']);
  });

  test('knows the last message whose caller waits, and gives everything away at the end', () => {
    const { outbox, messages } = outboxOf('a', 'b');
    outbox.take();
    messages.get('b')!.finish();
    expect(nameOf(outbox.last())).toBe('a');
    expect(outbox.clear().map(nameOf)).toEqual(['a', 'b']);
    expect(namesIn(outbox)).toEqual([]);
  });

  test('lets the messages of a held queue step aside, in their order, until it is released', () => {
    const { outbox, messages } = outboxOf('a', 'b', 'a', 'c', 'a');
    outbox.hold('a');
    expect([outbox.take(), outbox.take(), outbox.take()].map(nameOf)).toEqual(['b', 'c', undefined]);
    expect(namesIn(outbox)).toEqual(['b', 'c', 'a', 'a', 'a']);
    messages.get('a')!.finish(new Error('late'));
    outbox.forgetGone();
    expect(namesIn(outbox)).toEqual(['b', 'c', 'a', 'a']);
    outbox.release('a');
    outbox.release('b');
    expect(namesIn(outbox)).toEqual(['b', 'c', 'a', 'a']);
    expect([outbox.take(), outbox.take(), outbox.take()].map(nameOf)).toEqual(['a', 'a', undefined]);
  });

  test('leaves room for others beside a queue that answers no more, however much waits for it', () => {
    const { outbox } = outboxFor(12, ...Array.from({ length: 20 }, () => 'stuck'), 'b', 'b', 'c');
    const taken = takeAll(outbox);
    expect(taken.map(nameOf)).toEqual([...Array.from({ length: 6 }, () => 'stuck'), 'b', 'b', 'c']);
    for (const one of taken.slice(6)) outbox.remove(one);
    for (let round = 0; round < 50; round++) {
      outbox.add(messageTo('b'));
      const [one, ...others] = takeAll(outbox);
      expect([one, ...others].map(nameOf)).toEqual(['b']);
      outbox.remove(one!);
    }
    outbox.remove(taken[0]!);
    expect(takeAll(outbox).map(nameOf)).toEqual(['stuck']);
  });

  test('always has one message of a queue on its way, however many others answer no more', () => {
    const stuck = Array.from({ length: 10 }, (_, index) => `stuck${index}`);
    const { outbox } = outboxFor(100, ...stuck.flatMap((name) => Array.from({ length: 50 }, () => name)));
    expect(takeAll(outbox).length).toBeLessThan(110);
    for (let round = 0; round < 50; round++) outbox.add(messageTo('b'));
    for (let round = 0; round < 50; round++) {
      const [one, ...others] = takeAll(outbox);
      expect([one, ...others].map(nameOf)).toEqual(['b']);
      outbox.remove(one!);
    }
  });

  test.each([1, 2, 3, 4, 5])('gives each queue its messages in order, whatever happens (seed %i)', (seed) => {
    const random = new Seeded(seed);
    const outbox = new Outbox(7);
    const left = new Map<string, Outstanding[]>();
    const sent = new Set<Outstanding>();
    const held = new Set<string>();
    const queues = ['a', 'b', 'c'];
    const steps = {
      add: () => {
        const message = messageTo(random.pick(queues));
        left.set(message.message.queue, [...(left.get(message.message.queue) ?? []), message]);
        outbox.add(message);
      },
      take: () => {
        const next = outbox.take();
        if (next === undefined) return;
        const { queue } = next.message;
        expect(held).not.toContain(queue);
        expect(left.get(queue)!.find((one) => !sent.has(one))).toBe(next);
        sent.add(next);
        if (random.next() < 0.1) {
          outbox.untake(next);
          sent.delete(next);
        }
      },
      answer: () => {
        const one = random.pick([...sent]);
        if (one === undefined) return;
        sent.delete(one);
        left.set(
          one.message.queue,
          left.get(one.message.queue)!.filter((other) => other !== one),
        );
        outbox.remove(one);
      },
      lose: () => {
        for (const queue of held) outbox.release(queue);
        held.clear();
        outbox.putBack();
        sent.clear();
      },
      hold: () => {
        const queue = random.pick(queues);
        outbox.hold(queue);
        held.add(queue);
      },
      release: () => {
        const queue = random.pick(queues);
        outbox.release(queue);
        held.delete(queue);
      },
    };
    const often = [...Object.values(steps), steps.add, steps.add, steps.take, steps.take, steps.take, steps.answer];
    for (let step = 0; step < 3_000; step++)
      (step % 50 === 0 ? steps.lose : random.pick(often.filter((one) => one !== steps.lose)))();
    steps.lose();
    while (outbox.unconfirmed.size > 0 || [...outbox].length > 0) {
      steps.take();
      if (random.next() < 0.5) steps.answer();
    }
    expect([...left.values()].flat()).toEqual([]);
  });

  test('keeps nothing of what was confirmed, though it is never empty', async () => {
    const { outbox } = outboxOf('first');
    const gone: WeakRef<Outstanding>[] = [];
    const passOne = (): void => {
      outbox.add(new Outstanding({ exchange: '', queue: 'q', body: Buffer.alloc(0), options: {} }, 1_000, 1_000));
      const taken = outbox.take()!;
      outbox.remove(taken);
      gone.push(new WeakRef(taken));
    };
    for (let count = 0; count < 1_000; count++) passOne();
    await new Promise((resolve) => setImmediate(resolve));
    (globalThis as { gc?: () => void }).gc!();
    expect(gone.filter((one) => one.deref() !== undefined)).toHaveLength(0);
    expect([...outbox]).toHaveLength(1);
  });
});
