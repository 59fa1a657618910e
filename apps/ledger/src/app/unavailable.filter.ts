import { MississippiError } from '@mississippi/core';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpStatus } from '@nestjs/common';

interface HttpResponse {
  status(code: number): { json(body: object): unknown };
}

/** The library cannot tell now, for example because the store is away: the same request, with the same key, may be sent again. */
@Catch(MississippiError)
export class UnavailableFilter implements ExceptionFilter<MississippiError> {
  catch({ message }: MississippiError, host: ArgumentsHost): void {
    const statusCode = HttpStatus.SERVICE_UNAVAILABLE;
    const response = host.switchToHttp().getResponse<HttpResponse>();
    response
      .status(statusCode)
      .json({ statusCode, error: 'Service Unavailable', message: `${message} Send it again.` });
  }
}
