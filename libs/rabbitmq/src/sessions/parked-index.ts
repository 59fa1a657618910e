import type { HeaderValue, MessageHeaders, ParkedEntry } from '@mississippi/core/transport';
import { PARKED_HEADER } from '../wire/header-names.js';
import type { RabbitDelivery } from '../wire/rabbit-delivery.js';
import { idOfDelivery, NO_KEY } from './parked-deliveries.js';

/**
 * What lies in a side queue, in the order of the moves: of each message its key, id, type and headers, which have the notes. Neither
 * its body is kept nor anything else that would keep what was read from the socket.
 */
export class ParkedIndex {
  readonly entries: ParkedEntry[] = [];
  /** One object for a key, however many messages it has. */
  private readonly keys = new Map<string, Buffer>();

  get size(): number {
    return this.entries.length;
  }

  add(delivery: RabbitDelivery): void {
    const id = idOfDelivery(delivery);
    const { headers, messageId, properties } = delivery;
    const mode = headers[PARKED_HEADER] === 'pressure' ? 'pressure' : 'held';
    const key = id === NO_KEY ? undefined : this.keyOf(id);
    this.entries.push({ key, mode, notes: detached(headers), messageId, type: properties.type });
  }

  private keyOf(id: string): Buffer {
    const known = this.keys.get(id);
    if (known !== undefined) return known;
    const key = Buffer.from(id, 'latin1');
    this.keys.set(id, key);
    return key;
  }
}

/** A copy that shares no bytes with what was read from the socket. */
function detached(headers: MessageHeaders): MessageHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, withOwnBytes(value)]));
}

function withOwnBytes(value: HeaderValue): HeaderValue {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(withOwnBytes);
  if (typeof value === 'object' && value !== null) return detached(value as MessageHeaders);
  return value;
}
