import { discard } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, text, watch } from '../support/recording-handler.js';
import { ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

const HOUR = 3_600_000;

describe('idle deactivation', () => {
  test('after 3 hours without work: terminate(idle), the state is dropped', async () => {
    let made = 0;
    const states: unknown[] = [];
    const handler = new RecordingHandler<number>({
      init: () => ++made,
      handleMessage: (_, state) => void states.push(state),
    });
    const { send, clock, service, of } = await startEngine(handler);
    await send('k', 'a');
    await clock.advance(3 * HOUR - 1);
    expect(handler.of('k')).toEqual(['init', 'message a']);
    await clock.advance(1);
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate idle']);
    expect(of('deactivated')).toMatchObject([{ key: 'k', reason: 'idle' }]);
    expect([...service.liveKeys()]).toEqual([]);
    await send('k', 'b');
    expect(states).toEqual([1, 2]);
  });

  test('can be configured, or switched off', async () => {
    const short = new RecordingHandler();
    const quick = await startEngine(short, { idleTimeout: 1_000 });
    await quick.send('k', 'a');
    await quick.clock.advance(1_000);
    expect(short.of('k')).toContain('terminate idle');
    const long = new RecordingHandler();
    const never = await startEngine(long, { idleTimeout: Infinity });
    await never.send('k', 'a');
    await never.clock.advance(1_000 * HOUR);
    expect(long.of('k')).toEqual(['init', 'message a']);
  });

  test('is put off by messages, signals and getDataUpdater alike', async () => {
    const handler = new RecordingHandler();
    const { send, clock, service } = await startEngine(handler, { idleTimeout: 1_000 });
    await send('k', 'a');
    await clock.advance(900);
    await send('k', 'b');
    await clock.advance(900);
    await service.handleSignal('k', 's');
    await clock.advance(900);
    expect(handler.of('k')).toEqual(['init', 'message a', 'message b', 'signal s']);
    await clock.advance(100);
    expect(handler.of('k')).toContain('terminate idle');
  });

  test('never happens while a message runs', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { send, clock } = await startEngine(handler, { idleTimeout: 1_000, handlerTimeout: Infinity });
    await send('busy', 'a');
    await clock.advance(5_000);
    expect(handler.of('busy')).toEqual(['init', 'message a']);
  });

  test('never happens while a message waits for its next attempt', async () => {
    const handler = new RecordingHandler({ handleMessage: () => Promise.reject(new Error('broken')) });
    const { send, service, clock } = await startEngine(handler, {
      idleTimeout: 1_000,
      failurePolicy: { backoff: { initial: 5_000 } },
    });
    await send('k', 'a');
    await service.handleSignal('k', 's');
    await clock.advance(4_999);
    expect(handler.of('k').slice(-2)).toEqual(['init', 'signal s']);
  });

  test('never happens while a message waits for its shard', async () => {
    const handler = new RecordingHandler();
    const transport = new ScriptedTransport();
    const { clock } = await startEngine(handler, { transport, idleTimeout: 1_000 });
    const epoch = transport.own();
    epoch.deliver('k', 'a');
    await clock.advance(500);
    epoch.certain = false;
    epoch.deliver('l', 'other');
    expect(epoch.verifications).toBe(1);
    epoch.deliver('k', 'b');
    await clock.advance(5_000);
    expect(handler.of('k')).toEqual(['init', 'message a']);
    await epoch.confirm();
    expect(handler.of('k')).toEqual(['init', 'message a', 'message b']);
    await clock.advance(1_000);
    expect(handler.of('k')).toContain('terminate idle');
  });

  test('comes to a key that is parked too, which stays parked', async () => {
    const handler = new RecordingHandler();
    const { send, clock, service } = await startEngine(handler, { idleTimeout: 1_000 });
    await send('k', 'a');
    await service.park('k');
    await send('k', 'b');
    await service.handleSignal('k', 's');
    await clock.advance(999);
    expect(handler.of('k')).toEqual(['init', 'message a', 'signal s']);
    await clock.advance(1);
    expect(handler.of('k').at(-1)).toBe('terminate idle');
    expect([...service.liveKeys()]).toMatchObject([{ key: 'k', state: 'parked', parked: 1 }]);
    await service.resume('k');
    await settled();
    expect(handler.of('k').slice(-2)).toEqual(['init', 'message b']);
  });

  test('takes its place in the serial queue: what arrives during terminate goes, in order, to a fresh one', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ terminate: () => gates.at('terminate') });
    const { send, clock, service } = await startEngine(handler, { idleTimeout: 1_000 });
    await send('k', 'a');
    await clock.advance(1_000);
    await send('k', 'b', 'c');
    const asked = watch(service.getDataUpdater('k'));
    const direct = service.handleMessage('k', { payload: 'd' });
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate idle']);
    expect(asked.state).toBe('pending');
    gates.open('terminate');
    await direct;
    await settled();
    expect(handler.of('k').slice(3)).toEqual(['init', 'message b', 'message c', 'message d']);
    expect(asked.value).toMatchObject({ alive: true });
  });

  test('of many keys at once leaves nothing behind', async () => {
    const handler = new RecordingHandler();
    const { send, clock, service } = await startEngine(handler, { idleTimeout: 1_000 });
    for (let key = 0; key < 200; key++) await send(key, 'a');
    await clock.advance(1_000);
    expect([...service.liveKeys()]).toEqual([]);
    expect(service.status().liveKeys).toBe(0);
    expect(clock.pending).toBe(0);
  });
});

describe('maxLiveKeys', () => {
  test('deactivates the key that was idle the longest', async () => {
    const handler = new RecordingHandler();
    const { send, service, of } = await startEngine(handler, { maxLiveKeys: 2 });
    await send('k', 'a');
    await send('l', 'b');
    await send('k', 'c');
    await send('m', 'd');
    expect(of('deactivated')).toMatchObject([{ key: 'l', reason: 'evicted' }]);
    expect(handler.of('l')).toEqual(['init', 'message b', 'terminate evicted']);
    expect([...service.liveKeys()].map(({ key }) => text(key)).toSorted()).toEqual(['k', 'm']);
  });

  test('never deactivates a busy key: there may be more for a while, until one is idle', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { send, service, of } = await startEngine(handler, { maxLiveKeys: 2 });
    for (const key of ['k', 'l', 'm', 'n']) await send(key, key);
    expect(service.status().liveKeys).toBe(4);
    expect(of('deactivated')).toEqual([]);
    for (const key of ['m', 'k', 'l', 'n']) gates.open(key);
    await settled();
    expect(of('deactivated').map(({ key }) => key)).toEqual(['m', 'k']);
    expect(service.status().liveKeys).toBe(2);
  });

  test('is kept under a backlog of many keys: what waits for its turn makes room for what runs', async () => {
    let most = 0;
    const handler = new RecordingHandler({ handleMessage: () => void (most = Math.max(most, count())) });
    const { publish, service } = await startEngine(handler, { maxLiveKeys: 3, concurrency: 2 });
    const count = (): number => service.status().liveKeys;
    const sent: Promise<void>[] = [];
    for (const round of ['1', '2', '3', '4']) for (let key = 0; key < 200; key++) sent.push(publish(key, round));
    await Promise.all(sent);
    for (let rounds = 0; rounds < 20; rounds++) await settled();
    for (let key = 0; key < 200; key++) expect(handler.messages(String(key))).toEqual(['1', '2', '3', '4']);
    expect(most).toBeLessThanOrEqual(3 + 2);
    expect(count()).toBeLessThanOrEqual(3);
  });

  test('lets a few keys of a backlog live on, so that not every message starts a data updater', async () => {
    const handler = new RecordingHandler({ handleMessage: () => Promise.resolve() });
    const { publish } = await startEngine(handler, { maxLiveKeys: 10, concurrency: 1 });
    const sent: Promise<void>[] = [];
    for (let round = 0; round < 10; round++) for (let key = 0; key < 20; key++) sent.push(publish(key, `${round}`));
    await Promise.all(sent);
    for (let rounds = 0; rounds < 100; rounds++) await settled();
    const inits = handler.calls.filter((call) => call.endsWith(' init')).length;
    expect(handler.calls.filter((call) => call.includes(' message '))).toHaveLength(200);
    expect(inits).toBeLessThanOrEqual(20 + 10 * 10);
  });

  test('deactivates a key that is parked', async () => {
    const handler = new RecordingHandler();
    const { send, service, of } = await startEngine(handler, { maxLiveKeys: 1 });
    await service.park('parked');
    await send('parked', 'a');
    await service.handleSignal('parked', 's');
    await send('k', 'b');
    expect(of('deactivated')).toMatchObject([{ key: 'parked', reason: 'evicted' }]);
    expect([...service.liveKeys()].map(({ key, state }) => `${text(key)} ${state}`)).toEqual([
      'parked parked',
      'k idle',
    ]);
  });

  test('leaves a data updater that a discard still needs once its dead letter is confirmed', async () => {
    const handler = new RecordingHandler({
      handleMessage: (payload) => (payload === 'no' ? discard('no', undefined, { continue: 'x' }) : undefined),
    });
    const { send, publish, transport } = await startEngine(handler, { maxLiveKeys: 1 });
    const published = publish('k', 'no');
    transport.broker.block();
    await published;
    await settled();
    const other = publish('l', 'a');
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message no']);
    transport.broker.unblock();
    await other;
    await send('m', 'a');
    expect(handler.of('k')).toEqual(['init', 'message no', 'continue x', 'terminate evicted']);
  });

  test('deactivates no more keys than it must, however long terminate takes', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ terminate: () => gates.at('terminate') });
    const { send, service } = await startEngine(handler, { maxLiveKeys: 2 });
    for (const key of ['k', 'l', 'm']) await send(key, 'a');
    await send('l', 'b');
    await send('m', 'b');
    expect(gates.names).toEqual(['terminate']);
    gates.open('terminate');
    await settled();
    expect([...service.liveKeys()].map(({ key }) => text(key)).toSorted()).toEqual(['l', 'm']);
  });

  test('puts no message of an evicted key out of order', async () => {
    const handler = new RecordingHandler();
    const { send } = await startEngine(handler, { maxLiveKeys: 1 });
    for (const round of ['1', '2', '3']) for (const key of ['k', 'l', 'm']) await send(key, round);
    for (const key of ['k', 'l', 'm']) expect(handler.messages(key)).toEqual(['1', '2', '3']);
  });
});
