import { createHash } from 'node:crypto';
import type { DeadLetterReport } from '../../interfaces/dead-letter.interface.js';
import type { HeaderValue, MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { canonicalKey, decodeShardingKey } from '../../keys/sharding-key.js';
import type { KeyText } from '../../keys/key-text.js';
import { NOTE_HEADERS } from '../../note-headers.js';
import type { Delivery } from '../../transport/transport.interface.js';
import { replayOf } from '../commits/finished-ids.js';

const NOTES: readonly string[] = Object.values(NOTE_HEADERS);

/** A dead letter, as it was read. */
export class Letter {
  /** Canonical; `undefined` where it has none that can be read. */
  readonly key: Uint8Array | undefined;

  constructor(readonly delivery: Delivery) {
    this.key = keyOf(delivery);
  }

  /** Made of what it is, so that it can be named from one reading to the next. */
  get id(): string {
    const { key, messageId, body } = this.delivery;
    const hash = createHash('sha256');
    for (const part of [key ?? '', messageId ?? '', String(this.failedAt), body]) {
      hash.update(`${part.length} `).update(part);
    }
    return hash.digest('hex').slice(0, 16);
  }

  get reason(): string | undefined {
    return this.text('reason');
  }

  get type(): string | undefined {
    return this.delivery.properties?.type;
  }

  /** Unix time in milliseconds. */
  get failedAt(): number | undefined {
    return this.number('time');
  }

  get stack(): string | undefined {
    return this.text('stack');
  }

  /** How often it was replayed. */
  get replays(): number {
    return replayOf(this.delivery.headers);
  }

  /** The message's own headers. */
  get headers(): MessageHeaders {
    const { headers } = this.delivery;
    return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOTES.includes(name)));
  }

  report(keyText: KeyText): DeadLetterReport {
    const { id, key, type, reason, failedAt, replays, delivery } = this;
    return {
      id,
      key: key === undefined ? undefined : decodeShardingKey(key),
      text: keyText(delivery.key),
      messageId: delivery.messageId,
      type,
      reason,
      error: this.text('error'),
      attempts: this.number('attempts'),
      failedAt: failedAt === undefined ? undefined : new Date(failedAt),
      replays,
      size: delivery.body.length,
    };
  }

  private text(note: keyof typeof NOTE_HEADERS): string | undefined {
    const value: HeaderValue | undefined = this.delivery.headers[NOTE_HEADERS[note]];
    return typeof value === 'string' ? value : undefined;
  }

  private number(note: keyof typeof NOTE_HEADERS): number | undefined {
    const value: HeaderValue | undefined = this.delivery.headers[NOTE_HEADERS[note]];
    return typeof value === 'number' ? value : undefined;
  }
}

function keyOf({ key }: Delivery): Uint8Array | undefined {
  try {
    return key === undefined ? undefined : canonicalKey(key);
  } catch {
    return undefined;
  }
}
