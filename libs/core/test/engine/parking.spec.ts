import { KeyNotParkedError, KeyParkedError, NOTE_HEADERS } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

/** An engine of one shard that fails at `bad` while `failing.has('bad')`, and parks at once what fails. */
async function startParking() {
  const failing = new Set(['bad']);
  const handler = new RecordingHandler({
    handleMessage: (payload) => (failing.has(payload) ? Promise.reject(new Error('broken')) : undefined),
  });
  const engine = await startEngine(handler, {
    memory: { totalCount: 1 },
    failurePolicy: { attempts: 1, onExhausted: 'park' },
  });
  return { failing, handler, broker: engine.transport.broker, ...engine };
}

describe('a key whose attempts are exhausted', () => {
  test('is held: its head and every later message are set aside, in order, and settled', async () => {
    const { send, broker, handler, service, of } = await startParking();
    await send('k', 'bad', 'b');
    await send('k', 'c');
    expect(broker.parkedCount(0)).toBe(3);
    expect(broker.length).toBe(0);
    expect(broker.deadLetters).toEqual([]);
    expect(of('parked')).toMatchObject([{ key: 'k', mode: 'held' }]);
    expect([...service.liveKeys()]).toMatchObject([{ key: 'k', state: 'parked', queued: 0, parked: 3 }]);
    expect(handler.messages('k')).toEqual(['bad']);
  });

  test('stays held, however long it takes, and other keys go on', async () => {
    const { send, clock, handler, broker } = await startParking();
    await send('k', 'bad', 'b');
    await send('l', 'c');
    await clock.advance(3_600_000);
    expect(handler.messages('k')).toEqual(['bad']);
    expect(handler.messages('l')).toEqual(['c']);
    expect(broker.parkedCount(0)).toBe(2);
  });

  test('notes why at the message that failed', async () => {
    const { send, service, broker } = await startParking();
    await send('k', 'bad', 'b');
    await service.drop('k');
    expect(broker.deadLetters[0]!.headers).toMatchObject({
      [NOTE_HEADERS.reason]: 'dropped',
      [NOTE_HEADERS.error]: 'Error: broken',
      [NOTE_HEADERS.key]: '"k"',
    });
  });

  test('is tried again from its head when an operator resumes it, and held again when that fails too', async () => {
    const { send, service, handler, broker, failing, of } = await startParking();
    await send('k', 'bad', 'b');
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad']);
    expect(of('parked')).toHaveLength(2);
    expect(broker.parkedCount(0)).toBe(2);
    failing.clear();
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'bad', 'bad', 'b']);
    expect(broker.parkedCount(0)).toBe(0);
  });

  test('gets all its attempts again after a resume', async () => {
    const attempts: number[] = [];
    const { send, service, clock } = await startEngine(
      {
        handleMessage(_, __, { attempt }) {
          attempts.push(attempt);
          throw new Error('broken');
        },
      },
      { failurePolicy: { attempts: 3, onExhausted: 'park' } },
    );
    await send('k', 'a');
    await clock.advance(1_000);
    await service.resume('k');
    await clock.advance(1_000);
    expect(attempts).toEqual([1, 2, 3, 1, 2, 3]);
  });
});

describe('an operator', () => {
  test('parks an idle key: from its next message on everything is set aside', async () => {
    const { send, service, handler, broker } = await startParking();
    await service.park('k');
    await send('k', 'a', 'b');
    expect(handler.calls).toEqual([]);
    expect(broker.parkedCount(0)).toBe(2);
  });

  test('parks a busy key: the attempt that runs is let finish and settle, the rest is set aside', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, service, transport } = await startEngine(handler, { memory: { totalCount: 1 } });
    await send('k', 'a', 'b', 'c');
    await service.park('k');
    expect(transport.broker.parkedCount(0)).toBe(0);
    gates.open('attempt');
    await settled();
    expect(handler.messages('k')).toEqual(['a']);
    expect(transport.broker.parkedCount(0)).toBe(2);
    expect(transport.broker.length).toBe(0);
  });

  test('parks a key whose attempt then fails: the head is set aside too', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, service, clock, transport } = await startEngine(handler, { memory: { totalCount: 1 } });
    await send('k', 'a', 'b');
    await service.park('k');
    gates.fail('attempt', new Error('broken'));
    await clock.advance(60_000);
    expect(handler.messages('k')).toEqual(['a']);
    expect(transport.broker.parkedCount(0)).toBe(2);
  });

  test('parks a key in backoff at once', async () => {
    const handler = new RecordingHandler({ handleMessage: () => Promise.reject(new Error('broken')) });
    const { send, service, clock, transport } = await startEngine(handler, { memory: { totalCount: 1 } });
    await send('k', 'a', 'b');
    await service.park('k');
    await clock.advance(60_000);
    expect(handler.messages('k')).toEqual(['a']);
    expect(transport.broker.parkedCount(0)).toBe(2);
  });

  test('changes his mind before the attempt has ended, and nothing is set aside', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
    const { send, service, of } = await startEngine(handler);
    await send('k', 'a', 'b');
    await service.park('k');
    await service.resume('k');
    gates.open('attempt');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'b']);
    expect(of('parked')).toEqual([]);
  });

  test('drops the first parked message: it goes to the dead letters, the others stay', async () => {
    const { send, service, handler, broker } = await startParking();
    await send('k', 'bad', 'b', 'c');
    await service.drop('k');
    expect(broker.deadLetters.map(({ body }) => Buffer.from(body).toString())).toEqual(['"bad"']);
    expect(broker.parkedCount(0)).toBe(2);
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'b', 'c']);
  });

  test('drops a message only when that is confirmed', async () => {
    const { send, service, broker } = await startParking();
    await send('k', 'bad', 'b');
    broker.block();
    const dropped = watch(service.drop('k'));
    await settled();
    expect(dropped.state).toBe('pending');
    expect(broker.parkedCount(0)).toBe(2);
    broker.unblock();
    await settled();
    expect(dropped.state).toBe('resolved');
    expect(broker.parkedCount(0)).toBe(1);
  });

  test('who drops the last parked message leaves the key parked, until he resumes it', async () => {
    const { send, service, handler } = await startParking();
    await send('k', 'bad');
    await service.drop('k');
    await send('k', 'b');
    expect(handler.messages('k')).toEqual(['bad']);
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['bad', 'b']);
  });

  test('cannot drop where nothing is parked', async () => {
    const { send, service } = await startParking();
    await send('l', 'a');
    for (const key of ['k', 'l']) await expect(service.drop(key)).rejects.toBeInstanceOf(KeyNotParkedError);
    await service.park('m');
    await expect(service.drop('m')).rejects.toBeInstanceOf(KeyNotParkedError);
  });

  test('who resumes a key that is not parked gets the error that drop gives, and changes nothing', async () => {
    const { send, service, handler, of } = await startParking();
    await send('l', 'a');
    for (const key of ['k', 'l']) {
      const refused: unknown = await service.resume(key).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(KeyNotParkedError);
      expect(String(refused)).toContain(`The key "${key}" is not parked, so there is nothing to resume`);
    }
    await send('k', 'a');
    expect(handler.messages('k')).toEqual(['a']);
    expect(of('resumed')).toEqual([]);
  });

  test('who resumes before the key could be parked takes that back', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { send, service, of } = await startEngine(handler);
    await send('k', 'a', 'b');
    await service.park('k');
    await service.resume('k');
    await expect(service.resume('k')).rejects.toBeInstanceOf(KeyNotParkedError);
    gates.open('a');
    await settled();
    expect(gates.names).toEqual(['b']);
    expect(of('parked')).toEqual([]);
  });
});

describe('what is read from the side queue and not handled', () => {
  /** A key that is held, with two messages in the side queue. */
  async function startHeld() {
    const transport = new ScriptedTransport();
    const handler = new RecordingHandler();
    const engine = await startEngine(handler, { transport });
    const epoch = transport.own();
    await engine.service.park('k');
    for (const payload of ['1', '2']) epoch.deliver('k', payload);
    await settled();
    return { handler, epoch, ...engine };
  }

  test('is left where a key is parked again while it is read, so that the broker need not take it back', async () => {
    const { service, epoch, handler } = await startHeld();
    await Promise.all([service.resume('k'), service.park('k')]);
    await settled();
    expect(handler.messages('k')).toEqual([]);
    expect(epoch.readers).toBe(0);
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['1', '2']);
    expect(epoch.readers).toBe(0);
  });

  test('is left where its dead letter is refused, and when it was dropped', async () => {
    const { service, epoch } = await startHeld();
    const refused = Promise.reject(new Error('full'));
    refused.catch(() => undefined);
    epoch.letters = refused;
    await expect(service.drop('k')).rejects.toThrow('full');
    expect(epoch.readers).toBe(0);
    epoch.letters = Promise.resolve();
    await service.drop('k');
    expect(epoch.deadLettered).toEqual(['1']);
    expect(epoch.readers).toBe(0);
  });
});

describe('resume', () => {
  test('feeds the key from the side queue until none is left, then from the shard: the order is kept', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { send, service, of, transport } = await startEngine(handler, { memory: { totalCount: 1 } });
    await service.park('k');
    await send('k', '1', '2', '3');
    await service.resume('k');
    await settled();
    await send('k', '4', '5');
    expect(transport.broker.parkedCount(0)).toBe(5);
    for (const name of ['1', '2', '3', '4', '5']) {
      expect(gates.names).toEqual([name]);
      expect(of('unparked')).toEqual([]);
      gates.open(name);
      await settled();
    }
    expect(of('resumed')).toHaveLength(1);
    expect(of('unparked')).toHaveLength(1);
    await send('k', '6');
    expect(transport.broker.parkedCount(0)).toBe(0);
    expect(transport.broker.length).toBe(1);
    expect(gates.names).toEqual(['6']);
  });

  test('does not outlive the epoch, and who loses the shard says what is held again', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { send, service, transport, logs } = await startEngine(handler, { memory: { totalCount: 1 } });
    await service.park('k');
    await service.park('held');
    await send('k', '1', '2', '3');
    await send('held', '4');
    await service.resume('k');
    await settled();
    gates.open('1');
    await settled();
    expect(logs).toEqual([]);
    transport.broker.loseShard(0);
    gates.open('2');
    await settled();
    expect(logs).toEqual([
      expect.stringMatching(/The key "k" was being resumed when .* shard 0: 2 of its messages are still parked/),
    ]);
    expect([...service.liveKeys()].map(({ key, state, parked }) => [key, state, parked])).toEqual([
      ['k', 'parked', 2],
      ['held', 'parked', 1],
    ]);
    await service.resume('k'); // The second ended well, though too late to be settled.
    await settled();
    expect(gates.names).toEqual(['3']);
  });

  test('while a move is under way waits for it, and nothing overtakes it', async () => {
    const { publish, service, handler, broker } = await startParking();
    await service.park('k');
    const sent = ['1', '2'].map((payload) => publish('k', payload));
    broker.block();
    await Promise.all(sent);
    await settled();
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual([]);
    broker.unblock();
    await publish('k', '3');
    await settled();
    expect(handler.messages('k')).toEqual(['1', '2', '3']);
  });

  test('retries a message of the side queue by the failure policy, without a way around it', async () => {
    const { send, service, clock, handler } = await startParkingWithRetries();
    await service.park('k');
    await send('k', 'flaky', 'b');
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['flaky']);
    await clock.advance(300);
    expect(handler.messages('k')).toEqual(['flaky', 'flaky', 'flaky', 'b']);
  });

  test('can be taken back by parking again: what has not run stays in the side queue', async () => {
    const { send, service, handler, broker } = await startParkingWithRetries();
    await service.park('k');
    await send('k', 'flaky', 'b');
    await service.resume('k');
    await settled();
    await service.park('k');
    await settled();
    expect(broker.parkedCount(0)).toBe(2);
    await send('k', 'c');
    expect(handler.messages('k')).toEqual(['flaky']);
    expect(broker.parkedCount(0)).toBe(3);
  });

  test('of a key that is fed already is refused, as drop is: there is nothing to do', async () => {
    const { send, service, handler, of } = await startParkingWithRetries();
    await service.park('k');
    await send('k', 'flaky', 'b');
    await service.resume('k');
    await settled();
    const refusals = await Promise.all(
      [service.resume('k'), service.drop('k')].map((call) => call.catch((error: unknown) => error)),
    );
    expect(refusals.map(String)).toEqual([
      'KeyNotParkedError: The key "k" was resumed already: there is nothing to do.',
      'KeyNotParkedError: The key "k" was resumed already: park the key again (MississippiOperator.pause), then drop its message.',
    ]);
    const direct: unknown = await service.handleMessage('k', { payload: 'x' }).catch((error: unknown) => error);
    expect(direct).toMatchObject({ code: 'key_parked', state: 'resuming' });
    expect(String(direct)).toContain('wait for the event unparked');
    expect(of('resumed')).toHaveLength(1);
    expect(handler.messages('k')).toEqual(['flaky']);
  });

  /** Fails at `flaky` in its first two attempts. */
  async function startParkingWithRetries() {
    const handler = new RecordingHandler({
      handleMessage: (payload, _, { attempt }) =>
        payload === 'flaky' && attempt < 3 ? Promise.reject(new Error('broken')) : undefined,
    });
    const engine = await startEngine(handler, { memory: { totalCount: 1 } });
    return { handler, broker: engine.transport.broker, ...engine };
  }
});

test('a direct message to a parked key is refused with a typed error, whether it waits or comes later', async () => {
  const gates = new Gates();
  const handler = new RecordingHandler({ handleMessage: () => gates.at('attempt') });
  const { send, service } = await startEngine(handler);
  await send('k', 'a');
  const waiting = watch(service.handleMessage('k', { payload: 'b' }));
  await service.park('k');
  await expect(service.handleMessage('k', { payload: 'c' })).rejects.toBeInstanceOf(KeyParkedError);
  gates.open('attempt');
  await settled();
  expect(waiting.value).toBeInstanceOf(KeyParkedError);
  expect(waiting.value).toMatchObject({ state: 'held' });
  const later: unknown = await service.handleMessage('k', { payload: 'd' }).catch((error: unknown) => error);
  expect(later).toMatchObject({ name: 'KeyParkedError', state: 'held' });
  expect(String(later)).toContain('resume the key first');
  expect(handler.messages('k')).toEqual(['a']);
});
