import { Outbox } from '../src/publishing/outbox.js';
import { Outstanding } from '../src/publishing/outstanding.js';

/** An outbox with messages of these names, in order. */
function outboxOf(...names: string[]): { outbox: Outbox; messages: Map<string, Outstanding> } {
  const outbox = new Outbox();
  const messages = new Map<string, Outstanding>();
  for (const queue of names) {
    const message = new Outstanding({ exchange: '', queue, body: Buffer.alloc(0), options: {} }, 1_000, 1_000);
    message.done.catch(() => undefined);
    messages.set(queue, message);
    outbox.add(message);
  }
  return { outbox, messages };
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
