import { statement, type Statement } from './statement.js';
import { MESSAGE_COLUMNS, type Tables } from './tables.js';

/** Everything that is asked besides commits; `$1` is the instance. */
export interface Questions {
  /** `$2` the shard, then messages by column. */
  readonly enqueue: Statement;
  /** `$2` shards, `$3` the limit. Answers (id, shard) and what the outbox answers behind the position. */
  readonly enqueued: Statement;
  /** `$2` the shard, `$3` its token. Answers the epoch. */
  readonly openShard: Statement;
  /** `$2` keys' addresses. Answers (place from 1, version, bytes, revision, when it was changed in milliseconds). */
  readonly load: Statement;
  /** `$2` the first time in milliseconds, `$3` the limit, and `$4` the key's address. Answers {@link AUDIT_COLUMNS}. */
  readonly auditOfKey: Statement;
  /** The same of all keys. */
  readonly audit: Statement;
  /** `$2` messages' addresses. Answers (address, outcome, replay, payload hash). */
  readonly lookUp: Statement;
  /** `$2` shard, `$3` epoch, `$4` number, `$5` token before, `$6` token of the void. Answers the row as it stands then. */
  readonly resolve: Statement;
  /** `$2` the shard. Answers (epoch, number, token). */
  readonly stand: Statement;
  /** Without parameters. Answers whether nothing can be written. */
  readonly readOnly: Statement;
  /** `$2` shard, `$3` epoch and `$4` number and `$5` index after which, `$6` the limit. */
  readonly outbox: Statement;
}

/** Whether a shard stands as it did before the commit that is asked about. */
const STANDS_BEFORE = 'epoch = $3::int8 AND number = $4::int8 - 1 AND token = $5::bytea';

const AUDIT_COLUMNS = `id, key, ${milliseconds('at')}, action, done_by, reason, process, revision_before, revision_after, previous_version, previous_bytes`;

function milliseconds(time: string): string {
  return `(extract(epoch FROM ${time}) * 1000)::float8`;
}

function audit(tables: Tables, condition: string): string {
  return `SELECT ${AUDIT_COLUMNS}
FROM ${tables.audit}
WHERE instance = $1::int4 AND at >= to_timestamp($2::int8 / 1000.0)${condition}
ORDER BY at DESC, id DESC
LIMIT $3::int4`;
}

export function questionsFor(tables: Tables): Questions {
  return {
    openShard: statement(
      'open',
      `INSERT INTO ${tables.shards} AS s (instance, shard, epoch, number, token) VALUES ($1::int4, $2::int4, 1, 0, $3::bytea)
ON CONFLICT (instance, shard) DO UPDATE SET epoch = s.epoch + 1, number = 0, token = excluded.token, opened_at = now()
RETURNING epoch`,
    ),
    load: statement(
      'load',
      `SELECT u.place, s.version, s.bytes, s.revision, ${milliseconds('s.changed_at')}
FROM unnest($2::bytea[]) WITH ORDINALITY AS u (key, place)
JOIN ${tables.states} s ON s.instance = $1::int4 AND s.key = u.key
WHERE s.expires_at IS NULL OR s.expires_at > now()`,
    ),
    audit: statement('audit', audit(tables, '')),
    auditOfKey: statement('audit_of_key', audit(tables, ' AND address = $4::bytea')),
    lookUp: statement(
      'look_up',
      `SELECT uuid_send(i.digest), i.outcome, i.replay, i.payload_hash
FROM ${tables.inbox} i
WHERE i.instance = $1::int4 AND i.digest = ANY ($2::uuid[])`,
    ),
    // One UPDATE that always changes the row, and nothing that reads it beside: it waits for a commit that is still under way,
    // and works on what that one left, while a SELECT in the same statement would see the row as it was before.
    resolve: statement(
      'resolve',
      `UPDATE ${tables.shards}
SET number = CASE WHEN ${STANDS_BEFORE} THEN $4::int8 ELSE number END,
  token = CASE WHEN ${STANDS_BEFORE} THEN $6::bytea ELSE token END
WHERE instance = $1::int4 AND shard = $2::int4
RETURNING epoch, number, token`,
    ),
    enqueue: statement(
      'enqueue',
      `INSERT INTO ${tables.enqueued} (instance, shard, ${MESSAGE_COLUMNS})
SELECT $1::int4, $2::int4, m.* FROM unnest($3::int4[], $4::bytea[], $5::bytea[], $6::bytea[], $7::float8[], $8::bytea[], $9::bytea[]) AS m`,
    ),
    // Rows of transactions that are all over: any that comes later has a higher number than these. See akka-persistence-jdbc#96 for
    // what happens to those who read in the order of a sequence.
    enqueued: statement(
      'enqueued',
      `SELECT id, shard, ${MESSAGE_COLUMNS}
FROM ${tables.enqueued}
WHERE instance = $1::int4 AND shard = ANY ($2::int4[]) AND transaction < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY transaction, id
LIMIT $3::int4`,
    ),
    stand: statement(
      'stand',
      `SELECT epoch, number, token FROM ${tables.shards} WHERE instance = $1::int4 AND shard = $2::int4`,
    ),
    readOnly: statement('read_only', `SELECT current_setting('transaction_read_only') = 'on'`),
    outbox: statement(
      'outbox',
      `SELECT epoch, commit_number, index, ${MESSAGE_COLUMNS}
FROM ${tables.outbox}
WHERE instance = $1::int4 AND shard = $2::int4 AND (epoch, commit_number, index) > ($3::int8, $4::int8, $5::int4)
ORDER BY epoch, commit_number, index
LIMIT $6::int4`,
    ),
  };
}
