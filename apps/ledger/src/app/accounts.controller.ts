import {
  BadRequestException,
  Body,
  Controller,
  Get,
  NotFoundException,
  Param,
  Post,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { type Account, CASH } from './account.js';
import { AccountParams, DepositDto, PostingParams, TransferDto } from './account.dto.js';
import type { Balance } from './account.handler.js';
import { AcceptedInterceptor } from './accepted.interceptor.js';
import { IdempotencyKey } from './idempotency-key.decorator.js';
import { LedgerService } from './ledger.service.js';
import { type PostingView, viewOf } from './posting-view.js';
import { UnavailableFilter } from './unavailable.filter.js';

/** What the app answers over HTTP. */
@Controller('accounts/:account')
@UseFilters(UnavailableFilter)
export class AccountsController {
  constructor(private readonly ledger: LedgerService) {}

  @Get()
  async balance(@Param() { account }: AccountParams): Promise<Balance> {
    return this.ledger.balance(account);
  }

  @Get('statement')
  async statement(@Param() { account }: AccountParams): Promise<Account> {
    return this.ledger.statement(account);
  }

  @Post('deposits')
  @UseInterceptors(AcceptedInterceptor)
  async deposit(@Param() { account }: AccountParams, @IdempotencyKey() id: string, @Body() { cents }: DepositDto) {
    return viewOf(id, await this.ledger.request(account, { id, type: 'credit', cents, peer: CASH }));
  }

  @Post('transfers')
  @UseInterceptors(AcceptedInterceptor)
  async transfer(
    @Param() { account }: AccountParams,
    @IdempotencyKey() id: string,
    @Body() { to, cents }: TransferDto,
  ) {
    if (to === account) throw new BadRequestException('A transfer goes to another account.');
    return viewOf(id, await this.ledger.request(account, { id, type: 'debit', cents, peer: to }));
  }

  /** What became of a transfer or a deposit. */
  @Get('postings/:id')
  async posting(@Param() { account, id }: PostingParams): Promise<PostingView> {
    const posting = await this.ledger.posting(account, id);
    if (posting === null) throw new NotFoundException(`${account} has posted nothing by the id ${id} so far.`);
    return viewOf(id, posting);
  }
}
