import { AsyncLocalStorage } from 'node:async_hooks';
import { ack, reply } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

/** As request logging and tracing do it. */
const tenant = new AsyncLocalStorage<string>();

/** Notes the tenant as which each callback runs, before and after it awaited something. */
async function startNoting() {
  const gates = new Gates();
  const seen: string[] = [];
  const note = (what: string): void => void seen.push(`${what} as ${tenant.getStore() ?? 'nobody'}`);
  const started = await startEngine({
    init: (key) => note(`init ${key}`),
    async handleMessage(payload) {
      note(`message ${String(payload)}`);
      if (payload === 'waits') await gates.at('waits');
      else await Promise.resolve();
      note(`end of message ${String(payload)}`);
      return ack(undefined, { continue: payload });
    },
    async handleSignal(signal) {
      note(`signal ${String(signal)}`);
      await Promise.resolve();
      return reply(tenant.getStore() ?? 'nobody', undefined);
    },
    handleContinue: (payload) => note(`continue ${String(payload)}`),
    terminate: (reason) => note(`terminate ${String(reason)}`),
  });
  return { gates, seen, ...started };
}

describe('the asynchronous context of a callback', () => {
  test('of a delivered message is nobody’s, whoever published it', async () => {
    const { publish, seen } = await startNoting();
    await tenant.run('A', () => publish('k', 'a'));
    await settled();
    expect(seen).toEqual([
      'init k as nobody',
      'message a as nobody',
      'end of message a as nobody',
      'continue a as nobody',
    ]);
  });

  test('of a direct message is its caller’s, init included; what follows is nobody’s', async () => {
    const { service, seen } = await startNoting();
    await tenant.run('A', () => service.handleMessage('k', { payload: 'a' }));
    await settled();
    expect(seen).toEqual(['init k as A', 'message a as A', 'end of message a as A', 'continue a as nobody']);
  });

  test('of a signal is its caller’s', async () => {
    const { service } = await startNoting();
    const answers = ['A', 'B'].map((name) => tenant.run(name, () => service.handleSignal('k', name)));
    expect(await Promise.all(answers)).toEqual(['A', 'B']);
  });

  test('is never that of the message before, of the same key or of another that waited for its slot', async () => {
    const { service, publish, seen, gates } = await startNoting();
    const calls = [
      tenant.run('A', () => service.handleMessage('k', { payload: 'waits' })),
      tenant.run('B', () => service.handleMessage('k', { payload: 'b' })),
      tenant.run('C', () => service.handleSignal('k', 'c')),
    ];
    await publish('k', 'd');
    await publish('l', 'e');
    gates.open('waits');
    await Promise.all(calls);
    await settled();
    expect(seen.filter((line) => line.startsWith('message'))).toEqual([
      'message waits as A',
      'message e as nobody',
      'message b as B',
      'message d as nobody',
    ]);
    expect(seen).toContain('signal c as C');
  });

  test('of terminate is nobody’s, whoever closes the app', async () => {
    const { engine, send, seen } = await startNoting();
    await send('k', 'a');
    await tenant.run('A', () => engine.stop());
    expect(seen.at(-1)).toBe('terminate shutdown as nobody');
  });

  test('of a listener of events is nobody’s', async () => {
    const { engine, service } = await startNoting();
    const told = new Set<string>();
    engine.events.subscribe(({ type }) => void told.add(`${type} as ${tenant.getStore() ?? 'nobody'}`));
    await tenant.run('A', () => service.handleMessage('k', { payload: 'a' }));
    await settled();
    expect([...told]).toEqual(['started as nobody', 'attemptStarted as nobody', 'handled as nobody']);
  });
});
