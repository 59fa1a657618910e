import { ack, type DataUpdaterHandler, MessageHandler, type MessageContext } from '@mississippi/core';
import { type Account, EMPTY, LIMIT, post, type Posting, wasAskedHere } from './account.js';
import { PostingDto } from './account.dto.js';

/** What one may ask an account. */
export type Question = { ask: 'balance' } | { ask: 'statement' } | { ask: 'posting'; id: string };

export interface Balance {
  cents: number;
  limit: number;
}

type Answer = Balance | Account | Posting | null;

/**
 * Keeps accounts. The sharding key is the account: its postings come one after the other. What a posting changes and the credit that
 * it publishes are committed together, once, whoever crashes; so nothing in here looks for repeats.
 */
@MessageHandler({ payload: PostingDto, keys: 'string' })
export class AccountHandler implements DataUpdaterHandler<Account, PostingDto, string, Question, Answer> {
  /** Only for an account that the store does not know. */
  init(): Account {
    return EMPTY;
  }

  handleMessage({ id, type, cents, peer }: PostingDto, account: Account, context: MessageContext) {
    if (type === 'credit') return ack(post(account, { id, type, cents, peer }));
    if (account.cents - cents < LIMIT) return ack(post(account, { id, type: 'refusal', cents, peer }));
    const credit: PostingDto = { id, type: 'credit', cents, peer: context.key };
    context.publish(credit, { shardingKey: peer });
    return ack(post(account, { id, type, cents, peer }));
  }

  handleSignal(question: Question, account: Account): Answer {
    switch (question.ask) {
      case 'balance':
        return { cents: account.cents, limit: LIMIT };
      case 'statement':
        return account;
      case 'posting':
        return account.statement.find((posting) => posting.id === question.id && wasAskedHere(posting)) ?? null;
    }
  }
}
