import { canonicalKey, keyId } from '../../keys/sharding-key.js';
import type { MemoryMessage } from './memory-message.js';

/** The side queue of one shard, in the order of the moves. */
export class SideQueue {
  readonly messages = new Set<MemoryMessage>();
  /** The same by key. */
  readonly byKey = new Map<string, Set<MemoryMessage>>();
  private pressed = 0;

  /** How many of them were parked under pressure. */
  get underPressure(): number {
    return this.pressed;
  }

  append(message: MemoryMessage): void {
    const id = idOf(message);
    const ofKey = this.byKey.get(id);
    this.messages.add(message);
    if (message.parked?.mode === 'pressure') this.pressed++;
    if (ofKey === undefined) this.byKey.set(id, new Set([message]));
    else ofKey.add(message);
  }

  /** Removes a message for good. */
  settle(message: MemoryMessage): void {
    const id = idOf(message);
    const ofKey = this.byKey.get(id);
    if (this.messages.delete(message) && message.parked?.mode === 'pressure') this.pressed--;
    ofKey?.delete(message);
    if (ofKey?.size === 0) this.byKey.delete(id);
  }

  /**
   * The first message of a key.
   * @param id as `keyId` makes it of the canonical key
   */
  first(id: string): MemoryMessage | undefined {
    return this.byKey.get(id)?.values().next().value;
  }

  /** The next owner cannot know what the last one has read. */
  markRedelivered(): void {
    for (const message of this.messages) message.redelivered = true;
  }
}

/** What has no key that can be read counts as having one key together, which no key has. */
export const NO_KEY = '';

/** As `keyId` makes it of the canonical key; {@link NO_KEY} where there is none that can be read. */
export function idOf({ key }: MemoryMessage): string {
  if (key === undefined) return NO_KEY;
  try {
    return keyId(canonicalKey(key));
  } catch {
    return NO_KEY;
  }
}
