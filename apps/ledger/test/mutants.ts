import { ack, DataUpdaterService, EventsProducer, MessageHandler, type MessageContext } from '@mississippi/core';
import { Injectable } from '@nestjs/common';
import { type Account, post, type Posting } from '../src/app/account.js';
import { PostingDto } from '../src/app/account.dto.js';
import { AccountHandler } from '../src/app/account.handler.js';
import { LedgerService } from '../src/app/ledger.service.js';

const OPTIONS = { payload: PostingDto, failurePolicy: { backoff: { initial: 0 } } };

/** Every message fails once, after everything is done: as a crash before its commit does. */
@MessageHandler(OPTIONS)
export class InterruptedHandler extends AccountHandler {
  private readonly seen = new Set<string | undefined>();

  override handleMessage(posting: PostingDto, account: Account, context: MessageContext) {
    const outcome = super.handleMessage(posting, account, context);
    this.interrupt(context);
    return outcome;
  }

  protected interrupt({ messageId }: MessageContext): void {
    if (this.seen.has(messageId)) return;
    this.seen.add(messageId);
    throw new Error('interrupted');
  }
}

/** Its credits leave at once, by EventsProducer, whatever becomes of the debit. */
@MessageHandler(OPTIONS)
export class EagerHandler extends InterruptedHandler {
  constructor(private readonly producer: EventsProducer) {
    super();
  }

  override handleMessage(posting: PostingDto, account: Account, context: MessageContext) {
    const publish = (credit: Posting) => void this.producer.publish(credit, { shardingKey: posting.peer });
    return super.handleMessage(posting, account, { ...of(context), publish } as unknown as MessageContext);
  }
}

/** It does not ask whether the account may pay. */
@MessageHandler(OPTIONS)
export class GenerousHandler extends InterruptedHandler {
  override handleMessage({ id, type, cents, peer }: PostingDto, account: Account, context: MessageContext) {
    if (type === 'debit') context.publish({ id, type: 'credit', cents, peer: context.key }, { shardingKey: peer });
    this.interrupt(context);
    return ack(post(account, { id, type, cents, peer }));
  }
}

/** Each request is a message of its own: the idempotency key is not the message's id. */
@Injectable()
export class KeylessService extends LedgerService {
  constructor(producer: EventsProducer, dataUpdaters: DataUpdaterService) {
    const publish: EventsProducer['publish'] = async (payload, { shardingKey }) =>
      producer.publish(payload, { shardingKey });
    super({ publish } as EventsProducer, dataUpdaters);
  }
}

/** What the handler reads of a context. */
function of({ key, messageId }: MessageContext) {
  return { key, messageId };
}
