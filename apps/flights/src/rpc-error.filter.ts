import { Catch, type RpcExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

/** What a caller over TCP gets instead of an answer. */
export interface RpcErrorBody {
  name: string;
  message: string;
}

/** Tells the caller what went wrong; Nest's own filter says "Internal server error" and logs the stack here. */
@Catch()
export class RpcErrorFilter implements RpcExceptionFilter<unknown> {
  catch(error: unknown): Observable<never> {
    const body: RpcErrorBody =
      error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) };
    return throwError(() => body);
  }
}
