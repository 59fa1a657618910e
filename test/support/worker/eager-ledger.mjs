// The ledger's worker, with a handler that publishes the credit by EventsProducer and takes a while to end: what does not hold.
import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { EventsProducer, MessageHandler } from '@mississippi/core';
import { Inject } from '@nestjs/common';
import { PostingDto } from '../../../apps/ledger/dist/app/account.dto.js';
import { AccountHandler } from '../../../apps/ledger/dist/app/account.handler.js';
import { backendsOf } from '../../../apps/ledger/dist/app/backends.js';
import { createApp, HOST } from '../../../apps/ledger/dist/app/create-app.js';

class EagerHandler extends AccountHandler {
  constructor(producer) {
    super();
    this.producer = producer;
  }

  async handleMessage(posting, account, { key }) {
    const credits = [];
    const outcome = super.handleMessage(posting, account, { key, publish: (credit) => credits.push(credit) });
    for (const credit of credits) {
      await this.producer.publish(credit, { shardingKey: posting.peer });
      await delay(20);
    }
    return outcome;
  }
}
MessageHandler({ payload: PostingDto })(EagerHandler);
Inject(EventsProducer)(EagerHandler, undefined, 0);

const app = await createApp(backendsOf(JSON.parse(process.env.LEDGER_PLACES)), EagerHandler);
await app.listen(0, HOST);
process.send({ url: await app.getUrl() });
process.once('disconnect', () => process.exit());
