import { BadRequestException, createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** The header `Idempotency-Key`: whoever sends a request again, with the same one, has it done once. */
export const IdempotencyKey = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, unknown> }>();
  const key = headers['idempotency-key'];
  if (typeof key === 'string' && /^[\w.-]{1,64}$/.test(key)) return key;
  throw new BadRequestException(
    'An Idempotency-Key of 1 to 64 letters, digits, _ . or - is needed: make a new one for each transfer, such as a UUID.',
  );
});
