import { REFUSALS, type Refusal } from '../errors/refusals.js';
import { HANDLED } from '../values/outcomes.js';
import { PLACES } from './commit-params.js';
import type { Param } from './params.js';
import { statement, type Statement } from './statement.js';
import type { Tables } from './tables.js';

/**
 * All commits of a group in one statement. The fence comes first, and the other parts write for the shards that it let through.
 * Every part sees the database as it was when the statement began, but for the UPDATE of the fence: where it has to wait for
 * another that changes the row, it is decided anew on what that one left. It answers (shard, NULL) for each shard that was
 * committed, or (NULL, address) of an entry that the inbox has already; then nothing was written.
 *
 * That the entry is looked for in the older picture is no gap: whoever wrote it held the shard's row in an epoch or with a number
 * before, and the row would not match then. The primary key of the inbox guards within one part of it.
 */
export function groupCommit(tables: Tables): Statement {
  return statement(
    'commit',
    `WITH given AS (
  SELECT * FROM unnest(${PLACES.commits}) AS g (shard, epoch, number, previous, token)
), repeated AS (
  ${repeated(tables)} LIMIT 1
), fenced AS (
  UPDATE ${tables.shards} s SET number = g.number, token = g.token
  FROM given g
  WHERE s.instance = $1::int4 AND s.shard = g.shard AND s.epoch = g.epoch AND s.number = g.number - 1 AND s.token = g.previous
    AND NOT EXISTS (SELECT FROM repeated)
  RETURNING s.shard, s.epoch, s.number
), ${writes(tables)}
SELECT shard, NULL::bytea FROM fenced UNION ALL SELECT NULL, uuid_send(digest) FROM repeated`,
  );
}

/** A statement of the last message of a transaction, with what its parameters stand for. */
export interface LastStatement {
  readonly statement: Statement;
  readonly params: readonly Param[];
}

/** What comes before them in that message. */
export function firstOfLast(mark: string): string {
  return [
    // The handler may have taken another role, for rows that only that one sees.
    'RESET ROLE',
    // See `steadyPlans`.
    `SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`,
    `SELECT ${raiseUnless(`current_setting('${MARK}', true) IS NOT DISTINCT FROM '${mark}'`, 'otherTransaction')}`,
  ].join(';\n');
}

/**
 * One commit at the end of a handler's transaction. The fence is the last statement, and only COMMIT follows it, in the same message:
 * the server has both, or none.
 */
export function lastStatements(tables: Tables, params: readonly Param[]): readonly LastStatement[] {
  const check = statement(
    'check',
    `WITH given AS (${GIVEN}) SELECT ${raiseUnless(`NOT EXISTS (${repeated(tables)})`, 'repeated')}`,
  );
  const write = statement('write', `WITH fenced AS (${GIVEN}), ${writes(tables)} SELECT`);
  const fence = statement(
    'fence',
    `WITH fenced AS (
  UPDATE ${tables.shards} s SET number = g.number, token = g.token FROM (${GIVEN}) g
  WHERE s.instance = $1::int4 AND s.shard = g.shard AND s.epoch = g.epoch AND s.number = g.number - 1 AND s.token = g.previous
  RETURNING 1
) SELECT ${raiseUnless('count(*) = 1', 'stale')} FROM fenced`,
  );
  return [
    { statement: check, params: params.slice(0, 11) },
    { statement: write, params },
    { statement: fence, params: params.slice(0, 6) },
  ];
}

/** A setting that ends with its transaction, and tells it from another on the same connection. */
export const MARK = 'mississippi.transaction';

const GIVEN = `SELECT * FROM unnest(${PLACES.commits}) AS g (shard, epoch, number, previous, token)`;

/** SQL has no other way to raise an error in an expression than to fail. What is cast is no constant, which would fail at once. */
function raiseUnless(condition: string, refusal: Refusal): string {
  return `CASE WHEN ${condition} THEN 1 ELSE ('${REFUSALS[refusal]} ' || now())::int4 END`;
}

/** Entries that are in the inbox already, of shards that are not stale. A replay goes on where its dead letter is not handled. */
function repeated(tables: Tables): string {
  return `SELECT h.digest FROM unnest(${PLACES.handled}) AS h (shard, digest, payload_hash, outcome, replay)
  JOIN given g ON g.shard = h.shard
  JOIN ${tables.shards} s ON s.instance = $1::int4 AND s.shard = g.shard AND s.epoch = g.epoch AND s.number = g.number - 1 AND s.token = g.previous
  JOIN ${tables.inbox} i ON i.instance = $1::int4 AND i.digest = h.digest
  WHERE i.outcome = ${HANDLED} OR i.replay >= h.replay`;
}

/** Everything but the fence, for the shards in `fenced (shard, epoch, number)`. */
function writes(tables: Tables): string {
  return `part AS (
  SELECT part FROM ${tables.inboxParts} WHERE started_at IS NOT NULL ORDER BY started_at DESC LIMIT 1
), remembered AS (
  INSERT INTO ${tables.inbox} AS i (digest, instance, part, outcome, replay, payload_hash)
  SELECT h.digest, $1::int4, part.part, h.outcome, h.replay, h.payload_hash
  FROM unnest(${PLACES.handled}) AS h (shard, digest, payload_hash, outcome, replay)
  JOIN fenced f ON f.shard = h.shard CROSS JOIN part
  ON CONFLICT (digest, instance, part) DO UPDATE SET payload_hash = excluded.payload_hash, replay = excluded.replay,
    outcome = CASE WHEN i.outcome = ${HANDLED} OR i.replay >= excluded.replay THEN -1 ELSE excluded.outcome END
), kept AS (
  INSERT INTO ${tables.states} (instance, key, version, bytes, expires_at)
  SELECT $1::int4, w.key, w.version, w.bytes, now() + w.ttl * interval '1 millisecond'
  FROM unnest(${PLACES.kept}) AS w (shard, key, version, bytes, ttl) JOIN fenced f ON f.shard = w.shard
  ON CONFLICT (instance, key) DO UPDATE
    SET version = excluded.version, bytes = excluded.bytes, expires_at = excluded.expires_at
), forgotten AS (
  DELETE FROM ${tables.states} s
  USING unnest(${PLACES.forgotten}) AS w (shard, key), fenced f
  WHERE f.shard = w.shard AND s.instance = $1::int4 AND s.key = w.key
), queued AS (
  INSERT INTO ${tables.outbox}
    (instance, shard, epoch, commit_number, index, kind, source, key, message_id, "timestamp", headers, body)
  SELECT $1::int4, f.shard, f.epoch, f.number, o.index, o.kind, o.source, o.key, o.message_id, o."timestamp", o.headers, o.body
  FROM unnest(${PLACES.outbox}) AS o (shard, index, kind, source, key, message_id, "timestamp", headers, body)
  JOIN fenced f ON f.shard = o.shard
), sent AS (
  DELETE FROM ${tables.outbox} o
  USING unnest(${PLACES.sent}) AS d (of_shard, shard, epoch, commit_number, index), fenced f
  WHERE f.shard = d.of_shard AND o.instance = $1::int4 AND o.shard = d.shard AND o.epoch = d.epoch
    AND o.commit_number = d.commit_number AND o.index = d.index
), taken AS (
  DELETE FROM ${tables.enqueued} e
  USING unnest(${PLACES.taken}) AS d (of_shard, id), fenced f
  WHERE f.shard = d.of_shard AND e.instance = $1::int4 AND e.id = d.id
)`;
}
