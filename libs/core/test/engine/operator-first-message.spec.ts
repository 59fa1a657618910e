import { NOTE_HEADERS, type MississippiOperator } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { startOperated } from '../support/operated.js';

const HELD = { failurePolicy: { attempts: 1, onExhausted: 'park' } } as const;
const PATIENT = { failurePolicy: { attempts: Infinity } } as const;

type Operated = Awaited<ReturnType<typeof startOperated>>;

/** Messages that are named as what they say. */
async function sendNamed({ publish }: Operated, ...ids: string[]): Promise<void> {
  for (const id of ids) await publish('k', id, { messageId: id, type: `type of ${id}` });
  await settled();
}

const first = async (operator: MississippiOperator): Promise<string | undefined> =>
  (await operator.key('k'))?.head?.messageId;
const idsOf = ({ broker }: Operated): unknown[] => broker.deadLetters.map(({ messageId }) => messageId);

describe.each(['here', 'elsewhere'] as const)('of a parked key an operator %s', (where) => {
  test('sees the id and the type of the first message, whichever that is', async () => {
    const scene = await startOperated(where, HELD);
    const { operator } = scene;
    await sendNamed(scene, 'bad', 'b', 'c');
    expect((await operator.key('k'))?.head).toEqual({ messageId: 'bad', type: 'type of bad' });
    await operator.drop('k');
    expect((await operator.key('k'))?.head).toEqual({ messageId: 'b', type: 'type of b' });
    await operator.dropAll('k');
    expect(await operator.key('k')).toMatchObject({ parkedState: 'held', head: undefined });
  });

  test('sees it of a key under pressure, and as the next owner finds it', async () => {
    const scene = await startOperated(where, PATIENT);
    const { operator, broker } = scene;
    await sendNamed(scene, 'bad', '1', '2', '3', '4');
    expect(await operator.key('k')).toMatchObject({ trouble: 'pressure', queued: 0, head: { messageId: 'bad' } });
    await operator.pause('k');
    broker.loseShard(0);
    await settled();
    expect((await operator.key('k'))?.head).toEqual({ messageId: 'bad', type: 'type of bad' });
  });

  test('sees why it is parked, what had failed and for how long, as the next owner finds it', async () => {
    const scene = await startOperated(where, HELD);
    const { operator, broker, clock } = scene;
    await sendNamed(scene, 'bad', 'b');
    broker.loseShard(0);
    await settled();
    await clock.advance(90_000);
    expect(await operator.key('k')).toMatchObject({
      trouble: 'parked',
      parkReason: 'attempts_exhausted',
      error: expect.stringMatching(/^Error: /) as string,
      waiting: 90_000,
    });
    // What lies parked is not late.
    const looking = operator.shards({ over: 1_000 });
    await settled();
    await clock.advance(1_000);
    const [shard] = await looking;
    expect(shard?.owned).toMatchObject({ oldest: undefined, parked: 2 });
  });

  test('sees it while it waits for room in the side queue', async () => {
    const scene = await startOperated(where, { ...HELD, sideQueueLimit: 1 });
    const { operator, publish } = scene;
    await publish('l', 'bad', { messageId: 'fills it' });
    await settled();
    await sendNamed(scene, 'bad', 'b');
    expect(await operator.key('k')).toMatchObject({ trouble: 'sideQueueFull', head: { messageId: 'bad' } });
  });

  test('who names it drops it once: asked again he is told that it was dropped, and the next one stays', async () => {
    const scene = await startOperated(where, HELD);
    const { operator, broker } = scene;
    await sendNamed(scene, 'bad', 'b', 'c');
    const named = { messageId: 'bad' };
    await operator.drop('k', named);
    for (const again of [() => operator.drop('k', named), () => operator.dropAll('k', named)]) {
      await expect(again()).rejects.toMatchObject({
        code: 'head_changed',
        found: 'b',
        message: expect.stringMatching(
          /bad does not come first .*: b does\. It was handled or dropped before/,
        ) as string,
      });
    }
    expect(idsOf(scene)).toEqual(['bad']);
    expect(broker.parkedCount(0)).toBe(2);
    await expect(operator.dropAll('k', { messageId: 'b' })).resolves.toBe(2);
    expect(idsOf(scene)).toEqual(['bad', 'b', 'c']);
  });

  test('who names it tries it once: asked again the next one is not tried', async () => {
    const scene = await startOperated(where, HELD);
    const { operator, handler, failing } = scene;
    await sendNamed(scene, 'bad', 'b');
    failing.clear();
    await operator.retry('k', { messageId: 'bad' });
    await settled();
    await expect(operator.retry('k', { messageId: 'bad' })).rejects.toMatchObject({
      code: 'head_changed',
      found: 'b',
      message: expect.stringContaining('Nothing was retried') as string,
    });
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
    expect(await first(operator)).toBe('b');
    expect(await operator.key('k')).toMatchObject({ parkedState: 'held', parked: 1 });
  });

  test('who names another than the one in backoff retries nothing', async () => {
    const scene = await startOperated(where, PATIENT);
    const { operator, handler } = scene;
    await sendNamed(scene, 'bad', 'b');
    await expect(operator.retry('k', { messageId: 'b' })).rejects.toMatchObject({ code: 'head_changed', found: 'bad' });
    expect(handler.messages('k')).toEqual(['bad']);
    await operator.retry('k', { messageId: 'bad' });
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
  });

  test('drops it to the dead letters with the error for which it was parked, though another owns the shard by then', async () => {
    const scene = await startOperated(where, HELD);
    const { operator, broker } = scene;
    await sendNamed(scene, 'bad', 'b');
    broker.loseShard(0);
    await settled();
    await operator.dropAll('k');
    const [bad, b] = broker.deadLetters.map(({ headers }) => headers);
    expect(bad).toMatchObject({
      [NOTE_HEADERS.reason]: 'dropped',
      [NOTE_HEADERS.error]: 'Error: broken',
      [NOTE_HEADERS.stack]: expect.stringContaining('operated') as string,
      [NOTE_HEADERS.attempts]: 1,
    });
    expect(b).toMatchObject({ [NOTE_HEADERS.reason]: 'dropped', [NOTE_HEADERS.attempts]: 0 });
    expect(b).not.toHaveProperty(NOTE_HEADERS.error);
  });
});
