import type { Clock } from '../clock/clock.interface.js';
import type { PayloadCodec } from '../interfaces/payload-codec.interface.js';
import type { KeyEncoder } from '../keys/key-kinds.js';
import type { OutgoingMessage, TransportConnection } from '../transport/transport.interface.js';

/** What a producer needs of the instance it belongs to. */
export interface ProducerPort {
  readonly clock: Clock;
  readonly codec: PayloadCodec;
  readonly keys: KeyEncoder;
  /** Milliseconds. */
  readonly publishTimeout: number;
  /**
   * Usable until the transport is closed, so that handlers may publish while the app drains.
   * @throws {NotStartedError} before the app's modules are initialised
   */
  connection(): TransportConnection;
  /**
   * Hands a message to the transport, or where that keeps none, to the store first.
   * @param transaction the caller's, with which the message exists or not
   */
  publish(message: OutgoingMessage, timeout: number, transaction?: unknown): Promise<void>;
}
