import { isUnwantedPromise } from '../engine/base/thenable.js';
import { describe } from '../errors/describe.js';
import { SignalDecodeError, SignalEncodeError, SignalTooLargeError } from '../errors/index.js';
import type { PayloadCodec } from '../interfaces/payload-codec.interface.js';
import type { SignalFormat } from '../interfaces/signal-format.interface.js';
import { copying, isCodec } from '../payload/payload-format.js';
import { ENVELOPE } from './signal-envelope.js';
import { NotJson, strictJson } from './strict-json.js';

/** Which of the two a value is. */
export type SignalPart = 'signal' | 'answer';

/** The largest signal or answer, encoded: less than what a broker takes by default (RabbitMQ 4: 16 MiB). Bytes. */
export const SIGNAL_LIMIT = 16_000_000;

export function isSignalFormat(value: unknown): value is SignalFormat {
  return value === 'json' || isCodec(value);
}

/** Signals and answers as bytes, the same whether they stay in the process or leave it. `undefined` needs no codec. */
export class SignalCodec {
  private readonly codec: PayloadCodec;
  private limit = SIGNAL_LIMIT;

  constructor(format: SignalFormat) {
    this.codec = format === 'json' ? strictJson : copying(format);
  }

  /**
   * The transport takes so many bytes of a signal, and nothing that is larger is taken for keys of this process either.
   * @param most as the transport counts: with the envelope
   */
  fit(most: number): void {
    this.limit = Math.min(SIGNAL_LIMIT, most - ENVELOPE);
  }

  /**
   * @param more what else its envelope holds, in bytes
   * @throws {SignalEncodeError}
   * @throws {SignalTooLargeError}
   */
  encode(part: SignalPart, value: unknown, more = 0): Uint8Array | undefined {
    if (value === undefined) return undefined;
    const bytes = this.bytesOf(part, value);
    const limit = this.limit - more;
    if (bytes.length > limit) throw new SignalTooLargeError(part, bytes.length, limit);
    return bytes;
  }

  /** @throws {SignalDecodeError} */
  decode(part: SignalPart, bytes: Uint8Array | undefined): unknown {
    if (bytes === undefined) return undefined;
    try {
      return atOnce('decode', this.codec.decode(bytes));
    } catch (error) {
      throw new SignalDecodeError(part, error);
    }
  }

  private bytesOf(part: SignalPart, value: unknown): Uint8Array {
    try {
      const bytes: unknown = atOnce('encode', this.codec.encode(value));
      if (bytes instanceof Uint8Array) return bytes;
      throw new TypeError(`encode of the codec must return a Uint8Array, not ${describe(bytes)}`);
    } catch (error) {
      throw error instanceof NotJson
        ? SignalEncodeError.notJson(part, error.path, error.found)
        : new SignalEncodeError(part, error);
    }
  }
}

/** A codec of signals answers at once. */
function atOnce(method: 'encode' | 'decode', result: unknown): unknown {
  if (!isUnwantedPromise(result)) return result;
  throw new TypeError(`${method} of the codec of signals must answer at once, not with a promise`);
}
