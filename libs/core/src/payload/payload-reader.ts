import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate, type ValidationError } from 'class-validator';
import { isThenable } from '../engine/base/thenable.js';
import { PayloadDecodeError, PayloadInvalidError } from '../errors/index.js';
import type { PayloadFormat } from '../interfaces/payload-codec.interface.js';
import { classOf, codecOf } from './payload-format.js';
import { RefusedPayload } from './refused-payload.js';

/**
 * Turns what arrived into what the handler sees. It runs anew for each attempt, so that a handler that changed its
 * payload and then failed cannot spoil the next attempt.
 */
export class PayloadReader {
  private readonly codec;
  private readonly type: Type | undefined;
  private readonly validates: boolean;

  constructor(format: PayloadFormat) {
    this.codec = codecOf(format);
    this.type = classOf(format);
    // Without a single validator class-validator would refuse everything; such a class only transforms.
    this.validates = this.type !== undefined && hasValidators(this.type);
  }

  /**
   * @throws {RefusedPayload} where the bytes cannot be decoded; by a rejected promise, where the codec takes its time or the
   * class objects
   */
  read(body: Uint8Array): unknown {
    let payload: unknown;
    let promised: boolean;
    try {
      payload = this.codec.decode(body);
      promised = isThenable(payload);
    } catch (error) {
      throw undecodable(error);
    }
    if (!promised) return this.check(payload);
    return Promise.resolve(payload).then(
      (read) => this.check(read),
      (error: unknown) => {
        throw undecodable(error);
      },
    );
  }

  /** Applies the payload class to a payload that never was bytes. */
  check(payload: unknown): unknown {
    return this.type === undefined ? payload : instanceOf(this.type, payload, this.validates);
  }
}

function undecodable(error: unknown): RefusedPayload {
  return new RefusedPayload(new PayloadDecodeError(error));
}

async function instanceOf(type: Type, payload: unknown, validates: boolean): Promise<object> {
  if (payload instanceof type) payload = { ...payload };
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new RefusedPayload(new PayloadInvalidError(type.name, ['an object was expected']));
  }
  let instance: object;
  try {
    instance = plainToInstance(type, payload) as object;
  } catch (error) {
    throw undecodable(error);
  }
  if (!validates) return instance;
  // Asynchronous on purpose: the synchronous variant skips a class's asynchronous validators without a word.
  const errors = await validate(instance, { forbidUnknownValues: true });
  if (errors.length > 0) {
    const found = errors.flatMap((error) => problems('', error));
    throw new RefusedPayload(new PayloadInvalidError(type.name, found));
  }
  return instance;
}

function hasValidators(type: Type): boolean {
  return getMetadataStorage().getTargetValidationMetadatas(type, '', false, false).length > 0;
}

function problems(path: string, error: ValidationError): string[] {
  const own = Object.values(error.constraints ?? {}).map((text) => path + text);
  return own.concat((error.children ?? []).flatMap((child) => problems(`${path}${error.property}.`, child)));
}
