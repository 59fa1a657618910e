import { MississippiHarness } from '@mississippi/testing';
import { Test } from '@nestjs/testing';
import type { Account } from '../src/app/account.js';
import { ledger } from './support.js';

const debit = { id: 't1', type: 'debit', cents: 120, peer: 'bob' } as const;

describe('A transfer, whatever happens', () => {
  let harness: MississippiHarness;

  beforeEach(async () => {
    harness = await MississippiHarness.create(Test.createTestingModule({ imports: [ledger()] }));
    await harness.send('ann', { id: 'd1', type: 'credit', cents: 500, peer: 'cash' });
    await harness.settled();
  });

  afterEach(() => harness.close());

  async function cents(account: string): Promise<number | undefined> {
    return (await harness.state<Account>(account))?.cents;
  }

  async function expectOneTransfer(): Promise<void> {
    await harness.settled({ advance: 10_000 });
    expect(await cents('ann')).toBe(380);
    expect(await cents('bob')).toBe(120);
    expect(harness.published()).toHaveLength(1);
  }

  it('debits one and credits the other', async () => {
    await harness.send('ann', debit);
    await expectOneTransfer();
    expect(harness.published()).toMatchObject([{ key: 'bob', payload: { type: 'credit', cents: 120 } }]);
  });

  it('happens once though the process is gone between the work and its commit', async () => {
    const { reached } = harness.hang('ann', { at: 'end' });
    await harness.send('ann', debit);
    await reached;
    await harness.crashAndRestart();
    await expectOneTransfer();
  });

  it('happens once though the broker brings both messages again', async () => {
    const sent = await harness.send('ann', debit);
    await harness.settled();
    harness.redeliver(sent);
    harness.redeliver(harness.published()[0]!.messageId);
    await expectOneTransfer();
    expect(harness.outcomes('bob')).toEqual(['handled', 'skipped']);
  });

  it('happens once though the broker goes away in the middle', async () => {
    const { reached, release } = harness.hang('ann', { at: 'end' });
    await harness.send('ann', debit);
    await reached;
    harness.brokerAway();
    release();
    harness.brokerBack();
    await expectOneTransfer();
  });
});
