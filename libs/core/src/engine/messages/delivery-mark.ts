import { crc32 } from 'node:zlib';
import type { Delivery } from '../../transport/transport.interface.js';

/** By what a message is recognised when it comes again. */
export interface DeliveryMark {
  readonly messageId: string | undefined;
  readonly keyId: string;
  readonly bodyHash: number;
}

export function markOf(keyId: string, { messageId, body }: Delivery): DeliveryMark {
  return { messageId, keyId, bodyHash: hashOf(body) };
}

/** Whether a mark is that of a delivery. */
export function marks(mark: DeliveryMark, keyId: string, { messageId, body }: Delivery): boolean {
  return mark.messageId === messageId && mark.keyId === keyId && mark.bodyHash === hashOf(body);
}

/** As a small integer of V8, which a field holds without extra memory. */
export function hashOf(body: Uint8Array): number {
  return crc32(body) | 0;
}
