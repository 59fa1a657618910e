import { BadRequestException, Catch, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import {
  InvalidShardingKeyError,
  MissingShardingKeyError,
  PayloadDecodeError,
  PayloadInvalidError,
} from '@mississippi/core';

/** What the caller of a route did wrong, as 400. */
@Catch(PayloadInvalidError, PayloadDecodeError, MissingShardingKeyError, InvalidShardingKeyError)
export class CallersFaultFilter extends BaseExceptionFilter {
  override catch(error: Error, host: ArgumentsHost): void {
    const message = error instanceof PayloadInvalidError ? [...error.problems] : error.message;
    super.catch(new BadRequestException(message), host);
  }
}
