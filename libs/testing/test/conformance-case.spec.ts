import { jest } from '@jest/globals';
import { conformanceCase } from '../src/transport/conformance-case.js';
import type { TransportHarness } from '../src/transport/index.js';
import { transportConformance } from '../src/transport/index.js';

const bare: TransportHarness = {
  within: 1_000,
  durable: false,
  unsupported: ['loseShard', 'block', 'injectRaw'],
  reset: () => Promise.resolve(),
  open: () => Promise.reject(new Error('not needed')),
  crash: () => Promise.resolve(),
  deadLetters: () => Promise.resolve([]),
};

describe('a conformance case', () => {
  test('has a name of its own', () => {
    expect(new Set(transportConformance.map(({ name }) => name)).size).toBe(transportConformance.length);
  });

  test('is run on a fresh space', async () => {
    const calls: string[] = [];
    const harness = { ...bare, reset: async () => void calls.push('reset') };
    await conformanceCase('one', {}, async () => void calls.push('run')).run(harness);
    expect(calls).toEqual(['reset', 'run']);
  });

  test('refuses a harness that neither has nor disclaims a capability', async () => {
    const { run } = conformanceCase('one', {}, () => Promise.resolve());
    await expect(run({ ...bare, unsupported: ['loseShard', 'block'] })).rejects.toThrow(
      'The harness has no injectRaw: add it, or list injectRaw in unsupported.',
    );
  });

  test('refuses a harness that has what it disclaims', async () => {
    const { run } = conformanceCase('one', {}, () => Promise.resolve());
    await expect(run({ ...bare, loseShard: () => Promise.resolve() })).rejects.toThrow(
      'The harness has loseShard, but lists loseShard as unsupported: remove one of them.',
    );
  });

  test('refuses a harness that can block and not unblock', async () => {
    const { run } = conformanceCase('one', {}, () => Promise.resolve());
    const harness = { ...bare, unsupported: ['loseShard', 'injectRaw'] as const, block: () => Promise.resolve() };
    await expect(run(harness)).rejects.toThrow('The harness has no unblock');
  });

  test('whose needs are unsupported says that it proved nothing', async () => {
    let ran = false;
    const one = conformanceCase('one', { needs: ['block'] }, async () => void (ran = true));
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await one.run(bare);
    expect(warning).toHaveBeenCalledWith('"one" was not proved: the harness does not support block.');
    warning.mockRestore();
    expect(ran).toBe(false);
  });
});
