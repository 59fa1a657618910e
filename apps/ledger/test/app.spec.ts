import { DataUpdaterService, StoreUnavailableError } from '@mississippi/core';
import type { INestApplication } from '@nestjs/common';
import type { PostingView } from '../src/app/posting-view.js';
import { ledger, startApp } from './support.js';

describe('The ledger over HTTP', () => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    app = await startApp(ledger());
    url = await app.getUrl();
  });

  afterAll(async () => app.close());

  async function ask(path: string, key?: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) };
    const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}/accounts/${path}`, init);
    return { status: response.status, body: await response.json() };
  }

  /** What became of a posting, once its turn has come. */
  async function posted(account: string, id: string): Promise<PostingView> {
    for (;;) {
      const { status, body } = await ask(`${account}/postings/${id}`);
      if (status === 200) return body as PostingView;
      expect(status).toBe(404);
    }
  }

  async function balanceOf(account: string, cents: number): Promise<void> {
    for (;;) {
      const { body } = await ask(account);
      if ((body as { cents: number }).cents === cents) return;
      expect(body).toEqual({ cents: expect.any(Number), limit: -10_000 });
    }
  }

  it('takes a transfer, books it on both sides, and tells', async () => {
    expect(await ask('ann/deposits', 'd1', { cents: 500 })).toEqual({
      status: 202,
      body: { id: 'd1', status: 'pending' },
    });
    expect(await ask('ann/transfers', 't1', { to: 'bob', cents: 120 })).toMatchObject({ status: 202 });
    expect(await posted('ann', 't1')).toEqual({ id: 't1', status: 'booked', cents: 120, peer: 'bob' });
    await balanceOf('ann', 380);
    await balanceOf('bob', 120);
  });

  it('tells of a transfer that is refused', async () => {
    await ask('carl/transfers', 't1', { to: 'bob', cents: 10_001 });
    expect(await posted('carl', 't1')).toEqual({ id: 't1', status: 'refused', cents: 10_001, peer: 'bob' });
    await balanceOf('carl', 0);
  });

  it('answers a repeat with what became of the first, and another request by the same key with 422', async () => {
    const transfer = { to: 'bob', cents: 50 };
    await ask('dora/transfers', 't1', transfer);
    const view = await posted('dora', 't1');
    expect(await ask('dora/transfers', 't1', transfer)).toEqual({ status: 200, body: view });
    for (const other of [
      { to: 'bob', cents: 51 },
      { to: 'ann', cents: 50 },
    ]) {
      const { status, body } = await ask('dora/transfers', 't1', other);
      expect([status, (body as Error).message]).toEqual([422, expect.stringContaining('take a new key')]);
    }
    await balanceOf('dora', -50);
  });

  it('books one of many requests by the same key', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => ask('eve/transfers', 't1', { to: 'fay', cents: 10 + n })));
    const { cents } = await posted('eve', 't1');
    await balanceOf('fay', cents!);
    await ask('eve/transfers', 't2', { to: 'fay', cents: 1 });
    await balanceOf('fay', cents! + 1);
    await balanceOf('eve', -cents! - 1);
  });

  it.each<[string, string | undefined, unknown, string]>([
    ['ann/transfers', undefined, { to: 'bob', cents: 1 }, 'An Idempotency-Key of 1 to 64 letters'],
    ['ann/transfers', 'x', { to: 'bob', cents: 0 }, 'cents must not be less than 1'],
    ['ann/transfers', 'x', { to: 'bob', cents: 1.5 }, 'cents must be an integer number'],
    ['ann/transfers', 'x', { to: 'bob', cents: 1, fee: 1 }, 'property fee should not exist'],
    ['ann/transfers', 'x', { to: 'ann', cents: 1 }, 'A transfer goes to another account.'],
    ['ann/transfers', 'x', { to: 'cash', cents: 1 }, 'cash is no account'],
    ['a%20b/transfers', 'x', { to: 'bob', cents: 1 }, 'account must be 1 to 64 letters'],
    ['ann/deposits', 'x', {}, 'cents must be an integer number'],
  ])('refuses %s with %j and %j', async (path, key, body, problem) => {
    const answer = await ask(path, key, body);
    expect(answer.status).toBe(400);
    expect([(answer.body as Error).message].flat().join()).toContain(problem);
  });

  it('answers 503 while the library cannot tell', async () => {
    const service = app.get(DataUpdaterService, { strict: false });
    service.handleSignal = async () => Promise.reject(new StoreUnavailableError('The store is away.'));
    expect(await ask('ann')).toMatchObject({ status: 503, body: { message: 'The store is away. Send it again.' } });
    Reflect.deleteProperty(service, 'handleSignal');
  });
});
