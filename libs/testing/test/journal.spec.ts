import { Journal } from '../src/conformance/journal.js';

const SHORT = 30;

describe('a wait', () => {
  test('ends as soon as what it awaits is there', async () => {
    const journal = new Journal(5_000);
    let found: number | undefined;
    const wait = journal.until('a number', () => found);
    found = 7;
    journal.note('a number came');
    expect(await wait).toBe(7);
  });

  test('sees what had happened before it', async () => {
    expect(await new Journal(SHORT).until('the past', () => 'here')).toBe('here');
  });

  test('that finds nothing says what it awaited, and what had come instead', async () => {
    const journal = new Journal(SHORT);
    journal.note('A opened shard 0');
    const wait = journal.until('A to open shard 1', () => undefined);
    journal.note('A opened shard 2');
    await expect(wait).rejects.toThrow(
      /Waited \d+ ms for A to open shard 1; meanwhile 1 events came\.\nThe last of 2 events:\n {2}A opened shard 0\n {2}A opened shard 2/,
    );
  });

  test('lasts while events come, each after less than the longest silence', async () => {
    const journal = new Journal(400);
    let count = 0;
    const timer = setInterval(() => journal.note(`event ${++count}`), 100);
    await journal.until('the sixth event', () => count >= 6);
    clearInterval(timer);
  });

  test('fails at once when something happens that must not', async () => {
    const journal = new Journal(5_000);
    const wait = journal.until('anything', () => undefined);
    journal.fault('B opened shard 0 while A owned it');
    await expect(wait).rejects.toThrow(/B opened shard 0 while A owned it/);
    expect(() => journal.verify()).toThrow(/B opened shard 0 while A owned it/);
  });
});

describe('a watched promise', () => {
  test('that must reject and resolves is told so', async () => {
    const error = new Journal(SHORT).rejected('the late move', Promise.resolve());
    await expect(error).rejects.toThrow('the late move had to be rejected, but resolved');
  });

  test('that neither resolves nor rejects ends the wait', async () => {
    const never = new Promise<never>(() => undefined);
    await expect(new Journal(SHORT).settled('the move', never)).rejects.toThrow(/Waited \d+ ms for the move/);
  });

  test('that rejects gives its own error', async () => {
    const refused = Promise.reject(new Error('refused'));
    await expect(new Journal(SHORT).settled('the move', refused)).rejects.toThrow('refused');
  });
});
