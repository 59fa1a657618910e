import { crc32 } from 'node:zlib';
import type { Delivery } from '../../transport/transport.interface.js';
import { replayOf } from '../commits/finished-ids.js';

/** By what a message is recognised when it comes again. */
export interface DeliveryMark {
  readonly messageId: string | undefined;
  readonly keyId: string;
  readonly hash: number;
}

export function markOf(keyId: string, delivery: Delivery): DeliveryMark {
  return { messageId: delivery.messageId, keyId, hash: hashOf(delivery) };
}

/** Whether a mark is that of a delivery. */
export function marks(mark: DeliveryMark, keyId: string, delivery: Delivery): boolean {
  return mark.messageId === delivery.messageId && mark.keyId === keyId && mark.hash === hashOf(delivery);
}

/**
 * Of the payload and of which replay it is: the replay of a dead letter is another message, though it has the id and the payload of what was
 * given up. As a small integer of V8, which a field holds without extra memory.
 */
export function hashOf({ body, headers }: Delivery): number {
  return crc32(body, replayOf(headers)) | 0;
}
