import { messageContext } from '@mississippi/testing';
import { type Account, EMPTY, LIMIT, STATEMENT_LENGTH } from '../src/app/account.js';
import type { PostingDto } from '../src/app/account.dto.js';
import { AccountHandler } from '../src/app/account.handler.js';

const handler = new AccountHandler();
let context = messageContext({ key: 'alice' });

beforeEach(() => (context = messageContext({ key: 'alice' })));

function handle(posting: PostingDto, account: Account): Account {
  const outcome = handler.handleMessage(posting, account, context);
  expect(outcome.kind).toBe('ack');
  return outcome.state!;
}

describe('An account', () => {
  it('has nothing at first', () => {
    expect(handler.init()).toEqual({ cents: 0, statement: [] });
  });

  it('adds a credit, and passes nothing on', () => {
    const credit = { id: 't1', type: 'credit', cents: 250, peer: 'bob' } as const;
    expect(handle(credit, EMPTY)).toEqual({ cents: 250, statement: [credit] });
    expect(context.published).toEqual([]);
  });

  it('subtracts a debit, down to the limit, and passes the credit on', () => {
    const debit = { id: 't1', type: 'debit', cents: -LIMIT, peer: 'bob' } as const;
    expect(handle(debit, EMPTY)).toEqual({ cents: LIMIT, statement: [debit] });
    const credit = { id: 't1', type: 'credit', cents: -LIMIT, peer: 'alice' };
    expect(context.published).toEqual([{ payload: credit, shardingKey: 'bob' }]);
  });

  it('refuses a debit below the limit, notes it, and passes nothing on', () => {
    const debit = { id: 't1', type: 'debit', cents: 1 - LIMIT, peer: 'bob' } as const;
    expect(handle(debit, EMPTY)).toEqual({ cents: 0, statement: [{ ...debit, type: 'refusal' }] });
    expect(context.published).toEqual([]);
  });

  it('keeps the last postings only', () => {
    let account = EMPTY;
    for (let n = 0; n <= STATEMENT_LENGTH; n++) {
      account = handle({ id: `t${n}`, type: 'credit', cents: 1, peer: 'bob' }, account);
    }
    expect(account.cents).toBe(STATEMENT_LENGTH + 1);
    expect(account.statement).toHaveLength(STATEMENT_LENGTH);
    expect(account.statement[0]?.id).toBe('t1');
  });

  it('tells a posting that it was asked for, and not one that another account has by the same id', () => {
    const fromBob = { id: 't1', type: 'credit', cents: 5, peer: 'bob' } as const;
    const own = { id: 't1', type: 'debit', cents: 3, peer: 'bob' } as const;
    expect(handler.handleSignal({ ask: 'posting', id: 't1' }, { cents: 5, statement: [fromBob] })).toBeNull();
    expect(handler.handleSignal({ ask: 'posting', id: 't1' }, { cents: 2, statement: [fromBob, own] })).toEqual(own);
  });
});
