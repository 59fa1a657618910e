import { DataUpdaterService, EventsProducer } from '@mississippi/core';
import { Injectable, UnprocessableEntityException } from '@nestjs/common';
import type { Account, Posting } from './account.js';
import type { PostingDto } from './account.dto.js';
import type { Balance, Question } from './account.handler.js';

/** The ledger as the rest of an app sees it. */
@Injectable()
export class LedgerService {
  constructor(
    private readonly producer: EventsProducer,
    private readonly dataUpdaters: DataUpdaterService,
  ) {}

  async balance(account: string): Promise<Balance> {
    return this.ask<Balance>(account, { ask: 'balance' });
  }

  async statement(account: string): Promise<Account> {
    return this.ask<Account>(account, { ask: 'statement' });
  }

  /** What the account posted for a transfer or a deposit that it was asked for; `null` until its turn has come. */
  async posting(account: string, id: string): Promise<Posting | null> {
    return this.ask<Posting | null>(account, { ask: 'posting', id });
  }

  /**
   * Asks for a posting. When this resolves it will be made, or refused, once, whatever crashes and however often it is asked for.
   * @returns what was posted, where that has happened before
   * @throws {UnprocessableEntityException} when the account has posted something else under this id
   */
  async request(account: string, posting: PostingDto): Promise<Posting | null> {
    const { id, cents, peer } = posting;
    const known = await this.posting(account, id);
    if (known !== null && (known.cents !== cents || known.peer !== peer)) {
      throw new UnprocessableEntityException(
        `The Idempotency-Key ${id} belongs to ${known.cents} cents and ${known.peer}: take a new key for another request.`,
      );
    }
    // It may be on its way: the id is the message's, and what was handled under it is not handled again.
    if (known === null) await this.producer.publish(posting, { shardingKey: account, messageId: id });
    return known;
  }

  private async ask<Answer>(account: string, question: Question): Promise<Answer> {
    return this.dataUpdaters.handleSignal<Answer>(account, question);
  }
}
