import { systemClock } from '@mississippi/core';
import type {
  InboxEntry,
  LostCommit,
  OutboxMessage,
  ShardCommit,
  ShardOpening,
  StateChange,
  StoreContext,
} from '@mississippi/core/store';
import { inspectKey } from '@mississippi/core/transport';

/** What a core tells a store; by default of an instance of four shards. Log lines go nowhere. */
export function contextOf(own: Partial<StoreContext> = {}): StoreContext {
  return {
    instance: 'default',
    logger: { log: () => undefined, warn: () => undefined, error: () => undefined },
    keyText: inspectKey,
    clock: systemClock,
    shards: { transport: 'memory', totalCount: 4, hash: 'phash2' },
    exclusive: false,
    inboxHorizon: 86_400_000,
    settleTime: 0,
    ...own,
  };
}

export const KEY = Buffer.from([131, 97, 1]);

/** A commit of shard 0 in an epoch, behind one with the number before; by default it writes nothing. */
export function commitOf(opening: ShardOpening, number: number, own: Partial<ShardCommit> = {}): ShardCommit {
  const previous = number === 1 ? opening.token : Buffer.alloc(16, number - 1);
  const parts = { states: [], audit: [], handled: [], outbox: [], sent: [], taken: [] };
  return { shard: 0, epoch: opening.epoch, number, previous, token: Buffer.alloc(16, number), ...parts, ...own };
}

/** The same as one whose answer was lost. */
export function lostOf(commit: ShardCommit): LostCommit {
  return { ...commit, voidToken: Buffer.alloc(16, 128 + commit.number) };
}

/** The commit that takes the place of one that was made void. */
export function afterVoid(commit: ShardCommit): ShardCommit {
  const { voidToken } = lostOf(commit);
  return { ...commit, number: commit.number + 1, previous: voidToken, token: Buffer.alloc(16, commit.number + 1) };
}

export function stateOf(text: string, key: Uint8Array = KEY, ttl?: number): StateChange {
  return { key, state: { bytes: Buffer.from(text), version: 1 }, ttl };
}

export function entryOf(messageId: string, own: Partial<InboxEntry> = {}): InboxEntry {
  return { key: KEY, messageId, payloadHash: Buffer.alloc(16, 7), outcome: 'handled', replay: 0, ...own };
}

export function messageOf(messageId: string): OutboxMessage {
  return {
    kind: 'message',
    source: KEY,
    key: KEY,
    messageId,
    timestamp: undefined,
    headers: {},
    body: Buffer.from('body'),
  };
}
