/** What the documents' examples take for granted. */
import { IsInt } from 'class-validator';

export declare class AccountsRepository {
  balance(account: string): Promise<number>;
  store(account: string, cents: number, messageId: string | undefined): Promise<void>;
}

export class FlightDto {
  @IsInt()
  number!: number;
}

export declare class AppModule {}

export interface Order {
  amount: number;
}

export declare class UnknownDevice extends Error {}

export declare class TooManyRequests extends Error {
  readonly retryAfter: number;
}
