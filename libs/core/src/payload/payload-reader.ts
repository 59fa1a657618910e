import { isThenable } from '../engine/base/thenable.js';
import { PayloadDecodeError } from '../errors/index.js';
import type { PayloadFormat } from '../interfaces/payload-codec.interface.js';
import { ClassCheck } from './class-check.js';
import type { PayloadCheck } from './payload-check.js';
import { classOf, codecOf, schemaOf } from './payload-format.js';
import { RefusedPayload } from './refused-payload.js';
import { SchemaCheck } from './schema-check.js';

/**
 * Turns what arrived into what the handler sees. It runs anew for each attempt, so that a handler that changed its
 * payload and then failed cannot spoil the next attempt.
 */
export class PayloadReader {
  private readonly codec;
  private readonly checks: PayloadCheck | undefined;

  constructor(format: PayloadFormat) {
    this.codec = codecOf(format);
    this.checks = checkOf(format);
  }

  /**
   * Loads what the format needs, before the first payload; `undefined` where that is nothing.
   * @throws {MissingPackageError} by a rejected promise
   */
  load(): Promise<void> | undefined {
    return this.checks?.load?.();
  }

  /**
   * @throws {RefusedPayload} where the bytes cannot be decoded; by a rejected promise, where the codec takes its time or the
   * class or schema objects
   */
  read(body: Uint8Array): unknown {
    const payload = this.decode(body);
    // A promise of its own: what else may be awaited was asked for its `then` once.
    return payload instanceof Promise ? payload.then((read) => this.check(read)) : this.check(payload);
  }

  /**
   * Decodes without the check.
   * @throws {RefusedPayload} where the bytes cannot be decoded; by a rejected promise, where the codec takes its time
   */
  decode(body: Uint8Array): unknown {
    let payload: unknown;
    try {
      payload = this.codec.decode(body);
      if (!isThenable(payload)) return payload;
    } catch (error) {
      throw undecodable(error);
    }
    return Promise.resolve(payload).catch((error: unknown) => {
      throw undecodable(error);
    });
  }

  /** Applies the payload class or the schema to a payload that never was bytes. */
  check(payload: unknown): unknown {
    return this.checks === undefined ? payload : this.checks.check(payload);
  }
}

function undecodable(error: unknown): RefusedPayload {
  return new RefusedPayload(new PayloadDecodeError(error));
}

function checkOf(format: PayloadFormat): PayloadCheck | undefined {
  const schema = schemaOf(format);
  if (schema !== undefined) return new SchemaCheck(schema);
  const type = classOf(format);
  return type === undefined ? undefined : new ClassCheck(type);
}
