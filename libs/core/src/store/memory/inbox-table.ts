import { keyId } from '../../keys/sharding-key.js';
import type { InboxEntry, MessageIdentity } from '../store.interface.js';

/** What is remembered of messages that were finished. It is never pruned. */
export class InboxTable {
  private readonly entries = new Map<string, InboxEntry>();

  get(message: MessageIdentity): InboxEntry | undefined {
    const entry = this.entries.get(identityOf(message));
    if (entry === undefined) return undefined;
    return { ...entry, key: Buffer.from(entry.key), payloadHash: Buffer.from(entry.payloadHash) };
  }

  /** Whether the entry may be written: there is none, or one that a replay follows. */
  admits(entry: InboxEntry): boolean {
    const former = this.entries.get(identityOf(entry));
    return former === undefined || (former.outcome !== 'handled' && former.replay < entry.replay);
  }

  write(entry: InboxEntry): void {
    this.entries.set(identityOf(entry), entry);
  }
}

/** Two messages are one when their texts here are equal: the length tells where the key ends. */
export function identityOf({ key, messageId }: MessageIdentity): string {
  return `${key.length}:${keyId(key)}${messageId}`;
}
