import { applyDecorators } from '@nestjs/common';
import { IsIn, IsInt, Matches, Max, Min, NotEquals } from 'class-validator';
import { CASH, MAX_CENTS, type Posting } from './account.js';

const IsName = () =>
  Matches(/^[\w.-]{1,64}$/, { message: '$property must be 1 to 64 letters, digits, _ . or -, not $value' });

const IsAccount = () => applyDecorators(IsName(), NotEquals(CASH, { message: '$value is no account' }));

const IsAmount = () => applyDecorators(IsInt(), Min(1), Max(MAX_CENTS));

/** The message: what an account is to post. */
export class PostingDto implements Posting {
  @IsName()
  id!: string;

  @IsIn(['credit', 'debit'])
  type!: 'credit' | 'debit';

  @IsAmount()
  cents!: number;

  @IsName()
  peer!: string;
}

/** Which account a request is about. */
export class AccountParams {
  @IsAccount()
  account!: string;
}

/** Which posting of it. */
export class PostingParams extends AccountParams {
  @IsName()
  id!: string;
}

/** The body of a deposit. */
export class DepositDto {
  @IsAmount()
  cents!: number;
}

/** The body of a transfer from the account that the path names. */
export class TransferDto extends DepositDto {
  @IsAccount()
  to!: string;
}
