import { describe } from '../../errors/describe.js';
import { StateDecodeError, StateEncodeError } from '../../errors/index.js';
import type { PayloadCodec } from '../../interfaces/payload-codec.interface.js';
import type { StateFormat } from '../../interfaces/state-format.interface.js';
import { copying } from '../../payload/payload-format.js';
import { NotJson, strictJson } from '../../signals/strict-json.js';
import type { StoredState } from '../../store/store.interface.js';
import { isUnwantedPromise } from '../base/thenable.js';

/** A state as handlers get it, and its bytes where they are as they would be written now. */
export interface DecodedState {
  readonly state: unknown;
  readonly saved: Uint8Array | undefined;
}

/** States as bytes and back, by the handler's format and version. */
export class StateForm {
  private readonly codec: PayloadCodec;

  constructor(
    format: StateFormat,
    private readonly version: number,
    private readonly limit: number,
    /** The handler's `migrate`. */
    private readonly migrate: ((state: unknown, from: number) => unknown) | undefined,
    /** Class name of the handler, for errors. */
    private readonly handlerName: string,
  ) {
    this.codec = format === 'json' ? strictJson : copying(format);
  }

  /**
   * @param keyText the key as errors show it: to write it down costs more than to encode a small state
   * @throws {StateEncodeError}
   */
  encode(keyText: () => string, state: unknown): StoredState {
    const bytes = this.bytesOf(keyText, state);
    if (bytes.length > this.limit) {
      throw new StateEncodeError(
        `The state of the key ${keyText()} takes ${bytes.length} bytes, and ${this.limit} are allowed: keep less in it, or raise stateLimit.`,
      );
    }
    return { bytes, version: this.version };
  }

  /** Whether it is of an older form. */
  migrates({ version }: StoredState): boolean {
    return version < this.version;
  }

  /** @throws {StateDecodeError} */
  async decode(keyText: string, stored: StoredState): Promise<DecodedState> {
    const state = await this.read(keyText, stored);
    return { state, saved: stored.version === this.version ? stored.bytes : undefined };
  }

  private async read(keyText: string, { bytes, version }: StoredState): Promise<unknown> {
    if (version > this.version) {
      throw new StateDecodeError(
        `The state of the key ${keyText} has the version ${version}, and this process knows versions up to ${this.version}: the key waits for a process that has been upgraded.`,
      );
    }
    let state: unknown;
    try {
      state = await this.codec.decode(bytes);
    } catch (error) {
      throw new StateDecodeError(
        `The stored state of the key ${keyText} cannot be decoded: ${describe(error)}. It stays as it is; mend it, or forget the key.`,
        { cause: error },
      );
    }
    if (version === this.version) return state;
    if (this.migrate === undefined) {
      throw new StateDecodeError(
        `The state of the key ${keyText} has the version ${version}, and the handler expects ${this.version}: add migrate(state, from) to ${this.handlerName}.`,
      );
    }
    try {
      return await this.migrate(state, version);
    } catch (error) {
      throw new StateDecodeError(
        `migrate of ${this.handlerName} failed with the state of the key ${keyText}, from version ${version}: ${describe(error)}. The state stays as it is.`,
        { cause: error },
      );
    }
  }

  private bytesOf(keyText: () => string, state: unknown): Uint8Array {
    try {
      const bytes: unknown = this.codec.encode(state);
      if (isUnwantedPromise(bytes)) throw new TypeError('encode of the codec must answer at once, not with a promise');
      if (!(bytes instanceof Uint8Array))
        throw new TypeError(`encode of the codec must return a Uint8Array, not ${describe(bytes)}`);
      return bytes;
    } catch (error) {
      throw error instanceof NotJson
        ? new StateEncodeError(
            `The state of the key ${keyText()} cannot be kept as JSON: state${error.path} is ${error.found}. Keep plain values in it, or give the handler a codec as state.`,
          )
        : new StateEncodeError(`The state of the key ${keyText()} cannot be encoded: ${describe(error)}.`, {
            cause: error,
          });
    }
  }
}
