import { SampleProcess } from '#support/sample-process.js';

describe('npm run webhooks', () => {
  afterEach(() => SampleProcess.endAll());

  it('delivers to each tenant in order, though receivers fail, and to the others while one is away', async () => {
    const webhooks = new SampleProcess('webhooks', []);
    expect({ status: await webhooks.ended, errors: webhooks.errors }).toEqual({ status: 0, errors: '' });
    expect(webhooks.output).toMatch(/^acme-3 refused: 500$/m);
    expect(webhooks.output.match(/^globex-3 refused: 503, Retry-After: 1$/gm)?.length).toBeGreaterThanOrEqual(2);
    const ends = webhooks.output.match(/^\w+(?= has all of its 10 webhooks$)/gm);
    expect(ends?.toSorted()).toEqual(['acme', 'globex', 'initech']);
    expect(ends?.at(-1)).toBe('globex');
    expect(webhooks.lastLine).toBe('VERIFIED: each tenant got its webhooks in order, and none waited for another');
  });
});
