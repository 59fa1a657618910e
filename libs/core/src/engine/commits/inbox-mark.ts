import type { InboxEntry, MessageIdentity } from '../../store/store.interface.js';
import { payloadHash, verdictOf, type Finished, type InboxVerdict } from './finished-ids.js';

/** Whoever knows what its key finished lately. */
interface FinishingKey {
  find(messageId: string, ticket: number): Finished | undefined;
}

/**
 * How the inbox knows a message; `undefined` for one without an id. An empty one is none: whoever sends it sends it with each message.
 */
export function identityOf(key: Uint8Array, messageId: string | undefined): MessageIdentity | undefined {
  return messageId === undefined || messageId === '' ? undefined : { key, messageId };
}

/** What is known of a message that was looked up in the inbox. */
export class InboxMark {
  private hash: Uint8Array | undefined = undefined;

  constructor(
    /** `undefined` for a message without an id, which nothing is known of. */
    readonly identity: MessageIdentity | undefined,
    private readonly body: Uint8Array,
    readonly replay: number,
    /** 0 for what is read from the side queue. */
    readonly ticket: number,
    private readonly entry: InboxEntry | undefined,
  ) {}

  /** What the store alone says, at the time when it was asked. */
  get stored(): InboxVerdict {
    return verdictOf(this.entry, this);
  }

  /** What is known when the turn of the message has come. */
  verdict(key: FinishingKey): InboxVerdict {
    if (this.identity === undefined) return 'new';
    return verdictOf(key.find(this.identity.messageId, this.ticket) ?? this.entry, this);
  }

  get payloadHash(): Uint8Array {
    return (this.hash ??= payloadHash(this.body));
  }

  /** What the inbox is to keep of it; `undefined` for a message without an id. */
  finishedAs(outcome: InboxEntry['outcome']): InboxEntry | undefined {
    const { identity, payloadHash: hash, replay } = this;
    return identity === undefined ? undefined : { ...identity, payloadHash: hash, outcome, replay };
  }
}
