import type { Answer, Received } from '../src/demo/receiver.js';
import { faultsOf } from '../src/demo/verify.js';

const TAKEN: Answer = { status: 200 };
const LATER: Answer = { status: 503, retryAfterSeconds: 1 };
const SENT = new Map([['acme', ['a-1', 'a-2']]]);

const received = (id: string, answer: Answer, at: number): Received => ({ tenant: 'acme', id, answer, at });

describe('The check of the webhooks', () => {
  it('finds nothing where all came in order, after refusals too', () => {
    const log = [received('a-1', LATER, 0), received('a-1', TAKEN, 1_000), received('a-2', TAKEN, 1_001)];
    expect(faultsOf(log, SENT)).toEqual([]);
  });

  it('finds what is missing, came twice or out of order', () => {
    const instead = (taken: string) => [`acme took ${taken} instead of a-1, a-2`];
    const taken = (...ids: string[]) => ids.map((id) => received(id, TAKEN, 0));
    expect(faultsOf(taken('a-1'), SENT)).toEqual(instead('a-1'));
    expect(faultsOf(taken('a-1', 'a-1', 'a-2'), SENT)).toEqual(instead('a-1, a-1, a-2'));
    expect(faultsOf(taken('a-2', 'a-1'), SENT)).toEqual(instead('a-2, a-1'));
  });

  it('finds who was asked again too early', () => {
    const log = [received('a-1', LATER, 0), received('a-1', TAKEN, 900), received('a-2', TAKEN, 901)];
    expect(faultsOf(log, SENT)).toEqual(['acme was asked again after 900 ms, and had said 1 s']);
  });
});
