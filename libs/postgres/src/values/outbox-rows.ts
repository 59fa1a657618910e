import type { EnqueuedMessage, OutboxMessage, OutboxRow } from '@mississippi/core/store';
import { decodeHeaders } from './headers.js';
import { kindOf } from './outcomes.js';
import type { Row } from './row.js';

/** A row of the outbox as the question for them answers it. */
export function outboxRow(shard: number, row: Row): OutboxRow {
  const [epoch, commit, index, ...message] = row;
  const position = { shard, epoch: Number(epoch), commit: Number(commit), index: Number(index) };
  return { position, message: messageOf(message) };
}

/** A row of what services enqueued. */
export function enqueuedMessage([id, shard, ...message]: Row): EnqueuedMessage {
  return { id: String(id), shard: Number(shard), message: messageOf(message) };
}

function messageOf([kind, source, key, messageId, timestamp, headers, body]: Row): OutboxMessage {
  return {
    kind: kindOf(Number(kind)),
    source: (source as Buffer | null) ?? undefined,
    key: key as Buffer,
    messageId: (messageId as Buffer).toString(),
    timestamp: timestamp === null ? undefined : Number(timestamp),
    ...decodeHeaders(headers as Buffer),
    body: body as Buffer,
  };
}
