import { CommitRefusedError } from '@mississippi/core';
import type {
  InboxEntry,
  OutboxMessage,
  OutboxPosition,
  ShardCommit,
  StateAudit,
  StateChange,
} from '@mississippi/core/store';
import { inboxAddress, stateAddress } from '../values/addresses.js';
import { encodeHeaders } from '../values/headers.js';
import { HANDLED, kindNumber, outcomeNumber } from '../values/outcomes.js';
import { byteas, float8s, int4s, int8s, integer, uuids, type Param } from './params.js';

/** Longer than any database lasts, and short enough for its dates. Milliseconds. */
const FOR_EVER = 1e14;

/** What a commit may write, with the types of its columns; the first is the shard. */
export const PARTS = {
  handled: ['int4', 'uuid', 'bytea', 'int4', 'int4'],
  kept: ['int4', 'bytea', 'int8', 'bytea', 'float8'],
  forgotten: ['int4', 'bytea'],
  audited: ['int4', 'bytea', 'bytea', 'bytea', 'bytea', 'bytea', 'bytea', 'int8', 'int8', 'bytea'],
  outbox: ['int4', 'int4', 'int4', 'bytea', 'bytea', 'bytea', 'float8', 'bytea', 'bytea'],
  sent: ['int4', 'int4', 'int8', 'int8', 'int4'],
  taken: ['int4', 'int8'],
} as const;

export type Part = keyof typeof PARTS;

/** The shard, epoch, number, token before and token afterwards of each commit. */
export const COMMITS = ['int4', 'int8', 'int8', 'bytea', 'bytea'] as const;

/** A group of commits as parameters: the instance, the commits' columns, and those of the parts that it has, in this order. */
export interface CommitParams {
  readonly parts: readonly Part[];
  readonly params: readonly Param[];
}

/** @throws {CommitRefusedError} for what no table could hold */
export function commitParams(instance: number, commits: readonly ShardCommit[]): CommitParams {
  const parts: Part[] = [];
  const params = [
    integer(instance),
    int4s(commits.map(({ shard }) => shard)),
    int8s(commits.map(({ epoch }) => epoch)),
    int8s(commits.map(({ number }) => number)),
    byteas(commits.map(({ previous }) => previous)),
    byteas(commits.map(({ token }) => token)),
  ];
  const add = <T>(
    part: Part,
    of: (commit: ShardCommit) => readonly T[],
    columns: (rows: Listed<T>) => Param[],
  ): void => {
    const rows = listed(commits, of);
    if (rows.length === 0) return; // The statement is without it: the server would go through it for nothing.
    parts.push(part);
    params.push(...columns(rows));
  };
  add('handled', ({ handled }) => distinct(handled), handledParams);
  add('kept', ({ states }) => states.filter(({ state }) => state !== undefined), stateParams);
  add('forgotten', ({ states }) => states.filter(({ state }) => state === undefined), forgottenParams);
  add('audited', ({ audit }) => audit, auditParams);
  add('outbox', ({ outbox }) => outbox, outboxParams);
  add('sent', ({ sent }) => sent, sentParams);
  add('taken', ({ taken }) => taken, takenParams);
  return { parts, params };
}

/** A part of a commit with the shard that it belongs to, and its place in it. */
type Listed<T> = readonly (readonly [shard: number, item: T, index: number])[];

function listed<T>(commits: readonly ShardCommit[], of: (commit: ShardCommit) => readonly T[]): Listed<T> {
  return commits.flatMap((commit) => of(commit).map((item, index) => [commit.shard, item, index] as const));
}

/** An entry with what it stands under, which costs a hash. */
interface Addressed {
  readonly entry: InboxEntry;
  readonly address: Buffer;
}

/** A replay may be committed together with what it replays; then the later entry is the one that stays. */
function distinct(entries: readonly InboxEntry[]): readonly Addressed[] {
  const found = new Map<string, Addressed>();
  for (const entry of entries) {
    const address = inboxAddress(entry);
    const name = address.toString('latin1');
    const before = found.get(name);
    if (before !== undefined && !supersedes(entry, before.entry)) {
      throw new CommitRefusedError('known', 'One commit has two inbox entries for one message.');
    }
    found.set(name, { entry, address });
  }
  return [...found.values()];
}

function supersedes(entry: InboxEntry, before: InboxEntry): boolean {
  return entry.replay > before.replay && outcomeNumber(before.outcome) !== HANDLED;
}

function handledParams(rows: Listed<Addressed>): Param[] {
  return [
    int4s(rows.map(([shard]) => shard)),
    uuids(rows.map(([, { address }]) => address)),
    byteas(rows.map(([, { entry }]) => entry.payloadHash)),
    int4s(rows.map(([, { entry }]) => outcomeNumber(entry.outcome))),
    int4s(rows.map(([, { entry }]) => entry.replay)),
  ];
}

function stateParams(rows: Listed<StateChange>): Param[] {
  return [
    int4s(rows.map(([shard]) => shard)),
    byteas(rows.map(([, { key }]) => stateAddress(key))),
    int8s(rows.map(([, { state }]) => state?.version)),
    byteas(rows.map(([, { state }]) => state?.bytes)),
    float8s(rows.map(([, { ttl }]) => (ttl === undefined || ttl > FOR_EVER ? undefined : ttl))),
  ];
}

function forgottenParams(rows: Listed<StateChange>): Param[] {
  return [int4s(rows.map(([shard]) => shard)), byteas(rows.map(([, { key }]) => stateAddress(key)))];
}

function auditParams(rows: Listed<StateAudit>): Param[] {
  const texts = (of: (audit: StateAudit) => string): Param => byteas(rows.map(([, audit]) => Buffer.from(of(audit))));
  return [
    int4s(rows.map(([shard]) => shard)),
    byteas(rows.map(([, { key }]) => stateAddress(key))),
    byteas(rows.map(([, { key }]) => key)),
    texts(({ action }) => action),
    texts(({ by }) => by),
    texts(({ reason }) => reason),
    texts(({ process }) => process),
    int8s(rows.map(([, { previous }]) => previous?.revision)),
    int8s(rows.map(([, { previous }]) => previous?.version)),
    byteas(rows.map(([, { previous }]) => previous?.bytes)),
  ];
}

function outboxParams(rows: Listed<OutboxMessage>): Param[] {
  return [
    int4s(rows.map(([shard]) => shard)),
    int4s(rows.map(([, , index]) => index)),
    ...messageParams(rows.map(([, message]) => message)),
  ];
}

/** Messages as their columns: kind, source, key, message_id, timestamp, headers, body. */
export function messageParams(messages: readonly OutboxMessage[]): Param[] {
  return [
    int4s(messages.map(({ kind }) => kindNumber(kind))),
    byteas(messages.map(({ source }) => source)),
    byteas(messages.map(({ key }) => key)),
    byteas(messages.map(({ messageId }) => idBytes(messageId))),
    float8s(messages.map(({ timestamp }) => timestamp)),
    byteas(messages.map(({ headers, properties }) => encodeHeaders(headers, properties))),
    byteas(messages.map(({ body }) => body)),
  ];
}

function takenParams(rows: Listed<string>): Param[] {
  return [int4s(rows.map(([shard]) => shard)), int8s(rows.map(([, id]) => Number(id)))];
}

function sentParams(rows: Listed<OutboxPosition>): Param[] {
  return [
    int4s(rows.map(([shard]) => shard)),
    int4s(rows.map(([, { shard }]) => shard)),
    int8s(rows.map(([, { epoch }]) => epoch)),
    int8s(rows.map(([, { commit }]) => commit)),
    int4s(rows.map(([, { index }]) => index)),
  ];
}

/** UTF-8 has no form for halves of surrogate pairs: two such ids would become one. */
function idBytes(messageId: string): Buffer {
  const encoded = Buffer.from(messageId);
  if (encoded.toString() !== messageId) {
    throw new CommitRefusedError('content', 'A messageId in the outbox holds half of a surrogate pair.');
  }
  return encoded;
}
