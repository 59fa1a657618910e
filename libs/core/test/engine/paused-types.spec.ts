import { memory, MississippiOperator, type MississippiOptions } from '../../src/index.js';
import type { ShardConsumer, Transport } from '../../src/transport/index.js';
import { settled } from '../support/fake-clock.js';
import { startOperated } from '../support/operated.js';
import { Gates, RecordingHandler } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const WHERE = ['here', 'elsewhere'] as const;

async function paused(where: (typeof WHERE)[number], options: Omit<MississippiOptions, 'transport'> = {}) {
  const stage = await startOperated(where, options);
  const say = async (key: string, ...messages: string[]): Promise<void> => {
    for (const message of messages) await stage.publish(key, message, { type: message.replace(/\d/, '') });
    await settled();
  };
  return { ...stage, say };
}

describe.each(WHERE)('an operator %s pauses a type', (where) => {
  test('each key that reaches one is parked at it, in order, and others go on', async () => {
    const { say, operator, handler, broker } = await paused(where);
    await operator.pauseType('b');
    await say('k', 'a1', 'b1', 'a2', 'b2');
    await say('l', 'a1', 'a2');
    expect(handler.messages('k')).toEqual(['a1']);
    expect(handler.messages('l')).toEqual(['a1', 'a2']);
    expect(broker.parkedCount(0)).toBe(3);
    expect(await operator.key('k')).toMatchObject({ trouble: 'parked', parkReason: 'type_paused', parked: 3 });
    expect(await operator.pausedTypes()).toEqual(['b']);
    await operator.resumeType('b');
    await settled();
    expect(handler.messages('k')).toEqual(['a1', 'b1', 'a2', 'b2']);
    expect(broker.parkedCount(0)).toBe(0);
    expect(await operator.pausedTypes()).toEqual([]);
  });

  test('a key that is resumed by itself is parked again where it meets the type', async () => {
    const { say, operator, handler } = await paused(where);
    await operator.pauseType('b');
    await say('k', 'b1', 'a1');
    await operator.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual([]);
    expect(await operator.key('k')).toMatchObject({ parkedState: 'held', parkReason: 'type_paused', parked: 2 });
    await operator.retry('k');
    await settled();
    expect(handler.messages('k')).toEqual([]);
    await operator.resumeType('b');
    await settled();
    expect(handler.messages('k')).toEqual(['b1', 'a1']);
  });

  test('keys that are parked for other reasons stay so', async () => {
    const { say, operator, handler } = await paused(where);
    await operator.pauseType('b');
    await operator.pause('k');
    await say('k', 'b1', 'a1');
    await say('l', 'b1');
    await operator.pause('l');
    await operator.resumeType('b');
    await settled();
    expect([handler.messages('k'), handler.messages('l')]).toEqual([[], []]);
    expect(await operator.key('l')).toMatchObject({ parkReason: 'operator' });
  });

  test('a key that an operator holds stays held, though he tried its first message and that is of the type', async () => {
    const { say, operator, handler } = await paused(where);
    await operator.pause('k');
    await say('k', 'b1', 'a1');
    await operator.pauseType('b');
    await operator.retry('k');
    await settled();
    expect(await operator.key('k')).toMatchObject({ parkedState: 'held', parkReason: 'operator', parked: 2 });
    await operator.resumeType('b');
    await settled();
    expect(handler.messages('k')).toEqual([]);
    await operator.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['b1', 'a1']);
  });

  test('one of two types is resumed, and a key goes on as far as the other', async () => {
    const { say, operator, handler } = await paused(where);
    await operator.pauseType('b');
    await operator.pauseType('c');
    await say('k', 'b1', 'a1', 'c1', 'a2');
    await operator.resumeType('b');
    await settled();
    expect(handler.messages('k')).toEqual(['b1', 'a1']);
    expect(await operator.key('k')).toMatchObject({ parkReason: 'type_paused', parked: 2 });
    await say('k', 'b2');
    await operator.resumeType('c');
    await settled();
    expect(handler.messages('k')).toEqual(['b1', 'a1', 'c1', 'a2', 'b2']);
  });

  test('only keys at the type that is resumed are touched', async () => {
    const { say, operator, of } = await paused(where);
    await operator.pauseType('b');
    await operator.pauseType('c');
    await say('k', 'b1');
    await say('l', 'c1');
    await operator.resumeType('b');
    await settled();
    expect(of('resumed').map(({ key }) => key)).toEqual(['k']);
  });

  test('a retry in the moment of the resumption holds nothing', async () => {
    const { say, operator, handler } = await paused(where);
    await operator.pauseType('b');
    await say('k', 'b1', 'a1');
    await Promise.all([operator.retry('k'), operator.resumeType('b')]);
    await settled();
    expect(handler.messages('k')).toEqual(['b1', 'a1']);
  });

  test('the next owner holds what is parked at a type that is paused, and resumes what is not', async () => {
    const { say, operator, handler, broker } = await paused(where);
    await operator.pauseType('b');
    await operator.pauseType('c');
    await say('k', 'b1', 'a1');
    await say('l', 'c1', 'a1');
    broker.loseShard(0);
    await settled();
    expect([handler.messages('k'), handler.messages('l')]).toEqual([[], []]);
    expect((await operator.keys()).keys.map(({ key, parkReason }) => [key, parkReason])).toEqual(
      expect.arrayContaining([
        ['k', 'type_paused'],
        ['l', 'type_paused'],
      ]),
    );
    broker.loseShard(0);
    await operator.resumeType('b'); // Before the next owner has found anything.
    await settled();
    expect([handler.messages('k'), handler.messages('l')]).toEqual([['b1', 'a1'], []]);
    await operator.resumeType('c');
    await settled();
    expect(handler.messages('l')).toEqual(['c1', 'a1']);
  });

  test('a key that was held for another reason before is held by the next owner, who cannot know that it was resumed', async () => {
    const { say, operator, handler, broker } = await paused(where, {
      failurePolicy: { attempts: 1, onExhausted: 'park' },
    });
    await operator.pause('k');
    await say('k', 'b1');
    await operator.pauseType('b');
    await operator.resume('k');
    await say('k', 'a1');
    expect(await operator.key('k')).toMatchObject({ parkReason: 'type_paused', parked: 2 });
    broker.loseShard(0);
    await settled();
    await operator.resumeType('b');
    await settled();
    expect(handler.messages('k')).toEqual([]);
    expect(await operator.key('k')).toMatchObject({ parkReason: 'operator', parkedState: 'held' });
  });

  test('an attempt that runs may end, and the next one of the type is not made', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { publish, operator } = await startOperated(where, { handler, failurePolicy: { attempts: Infinity } });
    await publish('k', 'b1', { type: 'b' });
    await publish('k', 'b2', { type: 'b' });
    await settled();
    await operator.pauseType('b');
    gates.open('attempt');
    await settled();
    expect(handler.messages('k')).toEqual(['b1']);
    expect(await operator.key('k')).toMatchObject({ parkReason: 'type_paused', parked: 1 });
  });

  test('a message that waits for its next attempt is parked instead, with its error', async () => {
    const { publish, operator, handler, failing, clock, broker } = await startOperated(where, {
      failurePolicy: { attempts: Infinity },
    });
    await publish('k', 'bad', { type: 'b' });
    await settled();
    await operator.pauseType('b');
    await clock.advance(1_000);
    expect(handler.messages('k')).toEqual(['bad']);
    expect(await operator.key('k')).toMatchObject({ parkReason: 'type_paused', error: 'Error: broken' });
    expect(broker.parkedCount(0)).toBe(1);
    failing.clear();
    await operator.resumeType('b');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
  });
});

test.each([
  ['a header', { header: 'kind' }, (type: string) => [type, { headers: { kind: type } }] as const],
  ['the payload', { payload: 'kind' }, (type: string) => [{ kind: type }, {}] as const],
])('the type may be in %s', async (_where, typeFrom, message) => {
  const seen: string[] = [];
  const kindOf = (payload: string | { kind: string }): string => (typeof payload === 'string' ? payload : payload.kind);
  const handler = new RecordingHandler({ handleMessage: (payload) => void seen.push(kindOf(payload)) });
  const { publish, operator, broker } = await startOperated('here', { handler, typeFrom });
  await operator.pauseType('b');
  for (const type of ['a', 'b', 'a']) {
    const [payload, options] = message(type);
    await publish('k', payload, options);
  }
  await settled();
  expect(seen).toEqual(['a']);
  expect(broker.parkedCount(0)).toBe(2);
  await operator.resumeType('b');
  await settled();
  expect(seen).toEqual(['a', 'b', 'a']);
});

test('a direct message of the type is refused, and its key goes on', async () => {
  const { service, operator, publish, handler } = await startOperated('here');
  await operator.pauseType('b');
  await expect(service.handleMessage('k', { payload: 'b1', type: 'b' })).rejects.toMatchObject({
    name: 'TypePausedError',
    code: 'type_paused',
    type: 'b',
  });
  await publish('k', 'a1', { type: 'a' });
  await settled();
  expect(handler.messages('k')).toEqual(['a1']);
});

test('nothing of the type is started for it: neither a data updater nor an attempt', async () => {
  const { publish, operator, of, handler } = await startOperated('here');
  await operator.pauseType('b');
  await publish('k', 'b1', { type: 'b' });
  await settled();
  expect([of('attemptStarted'), of('parked').length]).toEqual([[], 1]);
  expect(handler.calls).toEqual([]);
});

test('what is no type is refused', async () => {
  const { operator } = await startOperated('here');
  for (const type of ['', 7, 'x'.repeat(256)])
    await expect(operator.pauseType(type as string)).rejects.toMatchObject({ code: 'invalid_message' });
});

describe('the intake of an embedded process', () => {
  test('is paused: messages wait, and what runs ends; resumed, they are handled', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, operator, service } = await startOperated('here', { handler });
    await send('k', 'a');
    const { name } = (await operator.processes())[0]!;
    await operator.pauseIntake(name);
    await send('k', 'b');
    expect(handler.messages('k')).toEqual(['a']);
    gates.open('attempt');
    await settled();
    expect(service.status().shards).toBe(0);
    await send('k', 'c');
    expect(handler.messages('k')).toEqual(['a']);
    await operator.resumeIntake(name);
    await settled();
    gates.open('attempt');
    await settled();
    gates.open('attempt');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'b', 'c']);
  });

  test('is paused: the shard is its own until nothing of it runs any more', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const engine = await startEngine(handler, { memory: { totalCount: 1 } });
    const operator = new MississippiOperator(engine);
    await engine.send('k', 'a');
    const { name } = (await operator.processes())[0]!;
    await operator.pauseIntake(name);
    expect(await operator.processes()).toMatchObject([{ shards: [0], intake: 'paused' }]);
    gates.open('attempt');
    await settled();
    expect(await operator.processes()).toMatchObject([{ shards: [], intake: 'paused' }]);
  });
});

test('a list that reads like the one before, with its commas, is another list all the same', async () => {
  const transport = memory({ totalCount: 1 });
  let told: ShardConsumer | undefined;
  const connecting: Transport = {
    name: transport.name,
    async connect(context) {
      const connection = await transport.connect(context);
      const consume = connection.consume.bind(connection);
      connection.consume = (consumer) => consume((told = consumer));
      return connection;
    },
  };
  const handler = new RecordingHandler();
  const { publish } = await startEngine(handler, { transport: connecting });
  told!.pauseTypes!(['a,b']);
  await publish('k', '1', { type: 'a,b' });
  await settled();
  expect(handler.messages('k')).toEqual([]);
  told!.pauseTypes!(['a', 'b']);
  await settled();
  expect(handler.messages('k')).toEqual(['1']);
});
