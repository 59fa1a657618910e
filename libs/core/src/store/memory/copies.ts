import { CommitRefusedError } from '../../errors/index.js';
import { cloneHeaders } from '../../headers/clone-headers.js';
import { isWellFormed } from '../../well-formed.js';
import type {
  InboxEntry,
  LostCommit,
  OutboxMessage,
  ShardCommit,
  StateAudit,
  StateChange,
} from '../store.interface.js';

/**
 * The commit as it would lie in a database: bytes and texts of its own.
 * @throws {CommitRefusedError} when a message id has no form in UTF-8
 */
export function copyCommit({ shard, epoch, number, previous, token, ...lists }: ShardCommit): ShardCommit {
  return {
    shard,
    epoch,
    number,
    previous: Buffer.from(previous),
    token: Buffer.from(token),
    states: lists.states.map(copyState),
    audit: lists.audit.map(copyAudit),
    handled: lists.handled.map(copyEntry),
    outbox: lists.outbox.map(copyMessage),
    sent: lists.sent.map((position) => ({ ...position })),
    taken: [...lists.taken],
  };
}

/** The same for a commit whose answer was lost. */
export function copyLost({ shard, epoch, number, previous, token, voidToken }: LostCommit): LostCommit {
  return {
    shard,
    epoch,
    number,
    previous: Buffer.from(previous),
    token: Buffer.from(token),
    voidToken: Buffer.from(voidToken),
  };
}

function copyState({ key, state, ttl }: StateChange): StateChange {
  return {
    key: Buffer.from(key),
    state: state && { bytes: Buffer.from(state.bytes), version: state.version },
    ttl,
  };
}

export function copyAudit({ key, action, by, reason, process, previous }: StateAudit): StateAudit {
  return {
    key: Buffer.from(key),
    action,
    by,
    reason,
    process,
    previous: previous && {
      bytes: Buffer.from(previous.bytes),
      version: previous.version,
      revision: previous.revision,
    },
  };
}

function copyEntry({ key, messageId, payloadHash, outcome, replay }: InboxEntry): InboxEntry {
  return {
    key: Buffer.from(key),
    messageId: checkedId(messageId),
    payloadHash: Buffer.from(payloadHash),
    outcome,
    replay,
  };
}

export function copyMessage(message: OutboxMessage): OutboxMessage {
  const { kind, source, key, messageId, timestamp, headers, body, properties } = message;
  return {
    kind,
    source: source && Buffer.from(source),
    key: Buffer.from(key),
    messageId: checkedId(messageId),
    timestamp,
    headers: cloneHeaders(headers),
    body: Buffer.from(body),
    ...(properties === undefined ? {} : { properties: { ...properties } }),
  };
}

function checkedId(messageId: string): string {
  if (isWellFormed(messageId)) return messageId;
  throw new CommitRefusedError(
    'content',
    `The message id ${JSON.stringify(messageId)} holds half a surrogate pair, which has no form in UTF-8.`,
  );
}
