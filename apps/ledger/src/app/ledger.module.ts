import { type DataUpdaterHandler, MississippiModule, type Transport } from '@mississippi/core';
import type { Store } from '@mississippi/core/store';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AccountHandler } from './account.handler.js';
import { AccountsController } from './accounts.controller.js';
import { LedgerService } from './ledger.service.js';

/** What carries the messages, and what keeps the accounts. */
export interface Backends {
  transport: Transport;
  store: Store;
}

@Module({ controllers: [AccountsController], providers: [LedgerService] })
export class LedgerModule {
  static register({ transport, store }: Backends, handler: Type<DataUpdaterHandler> = AccountHandler): DynamicModule {
    return {
      module: LedgerModule,
      imports: [MississippiModule.forRoot({ transport, store })],
      providers: [handler],
    };
  }
}
