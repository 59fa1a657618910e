import { jest } from '@jest/globals';
import { storeConformance, type StoreHarness } from '../src/store/index.js';
import { storeCase } from '../src/store/store-case.js';

const bare: StoreHarness = {
  within: 1_000,
  unsupported: ['transactions', 'besideTransactions', 'crash', 'cut'],
  reset: () => Promise.resolve(),
  connect: () => Promise.reject(new Error('not needed')),
};

describe('a conformance case of stores', () => {
  test('has a name of its own', () => {
    expect(new Set(storeConformance.map(({ name }) => name)).size).toBe(storeConformance.length);
  });

  test('is run on a fresh database', async () => {
    const calls: string[] = [];
    const harness = { ...bare, reset: async () => void calls.push('reset') };
    await storeCase('one', async () => void calls.push('run')).run(harness);
    expect(calls).toEqual(['reset', 'run']);
  });

  test('refuses a harness that neither has nor disclaims a capability', async () => {
    const { run } = storeCase('one', () => Promise.resolve());
    await expect(run({ ...bare, unsupported: ['besideTransactions', 'crash', 'cut'] })).rejects.toThrow(
      'The harness has no write: add it, or list transactions in unsupported.',
    );
  });

  test('whose needs are unsupported says that it proved nothing', async () => {
    let ran = false;
    const one = storeCase('one', async () => void (ran = true), ['cut']);
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await one.run(bare);
    expect(warning).toHaveBeenCalledWith('"one" was not proved: the harness does not support cut.');
    warning.mockRestore();
    expect(ran).toBe(false);
  });

  test('says which call never ends', async () => {
    const silent: StoreHarness = { ...bare, within: 30, connect: () => new Promise(() => undefined) };
    const { run } = storeCase('one', async (stage) => void (await stage.connect()));
    await expect(run(silent)).rejects.toThrow(/Waited \d+ ms for connect/);
  });
});
