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

/** A state that an operator gives a key. */
export interface GivenState {
  readonly bytes: Uint8Array;
  /** Of its form; `undefined` for the one that the owner's handler has. */
  readonly version: number | undefined;
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
    this.checkSize(keyText, bytes);
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

  /** As an operator sees it. A process without the handler knows of no versions: it shows the state as it is. */
  async shown(keyText: string, stored: StoredState): Promise<unknown> {
    return this.handlerName === '' ? this.decodeBytes(keyText, stored.bytes) : this.read(keyText, stored);
  }

  /**
   * What an operator gives instead of a stored state, if there is one. A process without the handler keeps the form that it was shown.
   * @throws {StateEncodeError}
   */
  given(keyText: () => string, state: unknown, stored: StoredState | undefined): GivenState {
    const { bytes, version } = this.encode(keyText, state);
    return { bytes, version: this.handlerName === '' ? stored?.version : version };
  }

  /**
   * Looks whether a data updater could start with it.
   * @throws {StateEncodeError}
   */
  async accept(keyText: string, { bytes, version = this.version }: GivenState): Promise<StoredState> {
    this.checkSize(() => keyText, bytes);
    try {
      await this.read(keyText, { bytes, version });
    } catch (error) {
      throw new StateEncodeError(
        `The state that was given for the key ${keyText} is not taken, since no data updater could start with it: ${describe(error)}`,
        { cause: error },
      );
    }
    return { bytes, version };
  }

  private async read(keyText: string, { bytes, version }: StoredState): Promise<unknown> {
    if (version > this.version) {
      throw new StateDecodeError(
        `The state of the key ${keyText} has the version ${version}, and this process knows versions up to ${this.version}: the key waits for a process that has been upgraded.`,
      );
    }
    const state = await this.decodeBytes(keyText, bytes);
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

  private async decodeBytes(keyText: string, bytes: Uint8Array): Promise<unknown> {
    try {
      return await this.codec.decode(bytes);
    } catch (error) {
      throw new StateDecodeError(
        `The stored state of the key ${keyText} cannot be decoded: ${describe(error)}. It stays as it is; mend it, or forget the key.`,
        { cause: error },
      );
    }
  }

  private checkSize(keyText: () => string, bytes: Uint8Array): void {
    if (bytes.length <= this.limit) return;
    throw new StateEncodeError(
      `The state of the key ${keyText()} takes ${bytes.length} bytes, and ${this.limit} are allowed: keep less in it, or raise stateLimit.`,
    );
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
