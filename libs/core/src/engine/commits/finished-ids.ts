import { hash as digest } from 'node:crypto';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { REPLAY_HEADER } from '../../note-headers.js';
import type { InboxEntry } from '../../store/store.interface.js';

/** Bytes of the digest that are kept. */
const HASH_BYTES = 16;

/** Whether a message was finished before: a `repeat` was; a `conflict` has the id of another message that was. */
export type InboxVerdict = 'new' | 'repeat' | 'conflict';

/** What is asked about a message. */
export interface Fingerprint {
  readonly payloadHash: Uint8Array;
  readonly replay: number;
}

/** A digest of a payload, as the inbox keeps it. */
export function payloadHash(body: Uint8Array): Uint8Array {
  return digest('sha256', body, 'buffer').subarray(0, HASH_BYTES);
}

/** Which replay of its dead letter a message is; 0 for the message itself. */
export function replayOf(headers: MessageHeaders): number {
  const number = headers[REPLAY_HEADER];
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : 0;
}

/** What an entry says, whosever it is. */
export type Finished = Pick<InboxEntry, 'payloadHash' | 'outcome' | 'replay'>;

/** What an entry says about a message with its key and id. */
export function verdictOf(entry: Finished | undefined, { payloadHash: hash, replay }: Fingerprint): InboxVerdict {
  if (entry === undefined) return 'new';
  // A replay may bring what somebody has mended.
  if (entry.outcome !== 'handled' && replay > entry.replay) return 'new';
  return Buffer.compare(hash, entry.payloadHash) === 0 ? 'repeat' : 'conflict';
}

/**
 * What a key has finished since its oldest waiting message was looked up: the answer of the inbox cannot know of it. An entry is
 * needed until no message waits whose ticket was given before its commit.
 */
export class FinishedIds {
  /** Made when it is first needed: most keys rest. */
  private entries: Map<string, { readonly entry: Finished; until: number }> | undefined = undefined;

  add(messageId: string, entry: Finished): void {
    const entries = (this.entries ??= new Map());
    // The newest is behind all others, also where a replay follows its original.
    entries.delete(messageId);
    entries.set(messageId, { entry, until: Infinity });
  }

  /** @param last the last ticket that was given before the inbox knew of it */
  committed(messageId: string, last: number): void {
    const noted = this.entries?.get(messageId);
    if (noted !== undefined) noted.until = last;
  }

  /** Its commit was refused. */
  remove(messageId: string): void {
    this.entries?.delete(messageId);
  }

  /** @param oldest the first ticket whose message waits, or may wait again; 0 where that is not known */
  find(messageId: string, oldest: number): Finished | undefined {
    if (this.entries === undefined) return undefined;
    for (const [id, { until }] of this.entries) {
      if (until >= oldest) break;
      this.entries.delete(id);
    }
    return this.entries.get(messageId)?.entry;
  }

  /**
   * Whether anything is still needed.
   * @param oldest the first ticket whose message still waits, or will
   */
  needed(oldest: number): boolean {
    if (this.entries === undefined) return false;
    for (const { until } of this.entries.values()) if (until >= oldest) return true;
    this.entries = undefined;
    return false;
  }
}
