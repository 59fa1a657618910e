import { ledger, rest, World } from '../support/durable-engine.js';

/** A process on a store that has a state of the key `k`. */
async function afterRestart() {
  const world = new World();
  const first = await world.start(ledger);
  await first.send('k', 'a');
  await first.kill();
  const { store, ...engine } = await world.start(ledger);
  store.calls.length = 0;
  return { world, store, ...engine };
}

describe('loading a state', () => {
  test('goes on beside the question to the inbox, and is not repeated', async () => {
    const { world, store, send } = await afterRestart();
    const held = store.hold('lookUp');
    await send('k', 'b');
    expect(store.calls).toEqual(expect.arrayContaining(['lookUp', 'load']));
    held.release();
    await rest();
    expect(world.state('k')).toEqual({ ids: ['a', 'b'] });
    expect(store.calls.filter((call) => call === 'load')).toHaveLength(1);
  });

  test('what was loaded ahead does not outlive a change of the state', async () => {
    const { world, store, send, service } = await afterRestart();
    const held = store.hold('lookUp');
    await send('k', 'b');
    const forgotten = service.forget('k');
    await rest();
    await forgotten;
    held.release();
    await rest();
    expect(world.state('k')).toEqual({ ids: ['b'] });
  });

  test('what was loaded ahead for a repeat is not taken for a later message', async () => {
    const { world, store, send, service } = await afterRestart();
    await send('k', 'a');
    const forgotten = service.forget('k');
    await rest();
    await forgotten;
    await send('k', 'b');
    expect(world.state('k')).toEqual({ ids: ['b'] });
    expect(store.calls.filter((call) => call === 'load').length).toBeGreaterThan(1);
  });
});
