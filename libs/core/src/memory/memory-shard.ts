import { Fifo } from '../engine/base/fifo.js';
import { canonicalKey, keyId } from '../keys/sharding-key.js';
import type { MemoryMessage } from './memory-message.js';
import type { MemorySession } from './memory-session.js';

/** One shard of the embedded broker: what waits, what its owner has, and what was set aside. */
export class MemoryShard {
  owner: MemorySession | undefined;
  private ready = new Fifo<MemoryMessage>();
  /** In the order of delivery, which a Set keeps. */
  private readonly unsettled = new Set<MemoryMessage>();
  /** The side queue, in the order of the moves. */
  private readonly side = new Set<MemoryMessage>();
  /** The same by key. */
  private readonly sideOfKey = new Map<string, Set<MemoryMessage>>();

  constructor(readonly index: number) {}

  /** Messages that are not settled, without the side queue. */
  get length(): number {
    return this.ready.length + this.unsettled.size;
  }

  /** Deliveries that are not settled. */
  get window(): number {
    return this.unsettled.size;
  }

  append(message: MemoryMessage): void {
    this.ready.push(message);
  }

  take(): MemoryMessage | undefined {
    const message = this.ready.shift();
    if (message !== undefined) this.unsettled.add(message);
    return message;
  }

  /** Removes a message for good. Returns whether it was there. */
  settle(message: MemoryMessage): boolean {
    if (message.parked === undefined) return this.unsettled.delete(message);
    const id = idOf(message);
    const parked = this.sideOfKey.get(id);
    parked?.delete(message);
    if (parked?.size === 0) this.sideOfKey.delete(id);
    return this.side.delete(message);
  }

  /** Moves a delivery into the side queue. */
  park(message: MemoryMessage): void {
    const id = idOf(message);
    this.unsettled.delete(message);
    this.side.add(message);
    const parked = this.sideOfKey.get(id);
    if (parked === undefined) this.sideOfKey.set(id, new Set([message]));
    else parked.add(message);
  }

  /** The key's first message in the side queue. */
  firstParked(id: string): MemoryMessage | undefined {
    return this.sideOfKey.get(id)?.values().next().value;
  }

  parked(): Iterable<MemoryMessage> {
    return this.side;
  }

  /** The owner is gone: what it had goes back to its place, in the original order. */
  returnUnsettled(): void {
    const ready = new Fifo<MemoryMessage>();
    for (const message of this.unsettled) {
      message.redelivered = true;
      ready.push(message);
    }
    this.unsettled.clear();
    for (let message = this.ready.shift(); message !== undefined; message = this.ready.shift()) ready.push(message);
    this.ready = ready;
    for (const message of this.parked()) message.redelivered = true;
  }
}

function idOf(message: MemoryMessage): string {
  return keyId(canonicalKey(message.key!));
}
