import { MississippiError } from '@mississippi/core';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  ServiceUnavailableException,
} from '@nestjs/common';
import { catchError, type Observable, throwError } from 'rxjs';

/** The library cannot ask the airport now, for example because the store is away: the caller may try again later. */
@Injectable()
export class UnavailableInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next
      .handle()
      .pipe(
        catchError((error: unknown) =>
          throwError(() =>
            error instanceof MississippiError
              ? new ServiceUnavailableException(error.message, { cause: error })
              : error,
          ),
        ),
      );
  }
}
