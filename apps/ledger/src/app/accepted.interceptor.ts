import { type CallHandler, type ExecutionContext, HttpStatus, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Observable, tap } from 'rxjs';
import type { PostingView } from './posting-view.js';

/** 202 for what was taken and will be posted or refused, whatever crashes; 200 for what was before, with what became of it. */
@Injectable()
export class AcceptedInterceptor implements NestInterceptor<PostingView> {
  intercept(context: ExecutionContext, next: CallHandler<PostingView>): Observable<PostingView> {
    const response = context.switchToHttp().getResponse<{ status(code: number): unknown }>();
    return next
      .handle()
      .pipe(tap(({ status }) => response.status(status === 'pending' ? HttpStatus.ACCEPTED : HttpStatus.OK)));
  }
}
