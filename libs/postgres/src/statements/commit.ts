import { REFUSALS, type Refusal } from '../errors/refusals.js';
import { HANDLED } from '../values/outcomes.js';
import { COMMITS, PARTS, type Part } from './commit-params.js';
import { statement, type Statement } from './statement.js';
import { MESSAGE_COLUMNS, type Tables } from './tables.js';

/** `group`: answers for each commit. `last`: the end of a handler's transaction, which raises where nothing is to be committed. */
type CommitForm = 'group' | 'last';

/** The statements by which commits are written: one for each selection of parts, made when it is first needed. */
export class CommitStatements {
  private readonly made = new Map<string, Statement>();

  constructor(private readonly tables: Tables) {}

  /**
   * All commits of a group. It answers (shard, NULL) for each shard that was committed, or (NULL, address) of an entry that the inbox has
   * already; then nothing was written.
   */
  group(parts: readonly Part[]): Statement {
    return this.of('group', parts);
  }

  /**
   * One commit at the end of a handler's transaction. Only COMMIT follows it, in the same message: the server has both, or none.
   * Where the commit is stale or repeated it raises an error, so that COMMIT rolls back.
   */
  last(parts: readonly Part[]): Statement {
    return this.of('last', parts);
  }

  private of(form: CommitForm, parts: readonly Part[]): Statement {
    const name = `${form} ${parts.join(' ')}`;
    let found = this.made.get(name);
    if (found === undefined) {
      found = statement(form === 'group' ? 'commit' : 'last', textOf(this.tables, form, parts));
      this.made.set(name, found);
    }
    return found;
  }
}

/** What comes before the last statement of a transaction, in the same message. */
export function firstOfLast(mark: string): string {
  return [
    // The handler may have taken another role, for rows that only that one sees.
    'RESET ROLE',
    // See `steadyPlans`.
    'SET LOCAL enable_seqscan = off',
    'SET LOCAL jit = off',
    'SET LOCAL plan_cache_mode = force_generic_plan',
    `SELECT CASE WHEN current_setting('${MARK}', true) = '${mark}' THEN 1 ELSE ${raise('otherTransaction')} END`,
  ].join(';\n');
}

/** A setting that ends with its transaction, and tells it from another on the same connection. */
export const MARK = 'mississippi.transaction';

/**
 * The fence comes first, and the other parts write for the shards that it let through. Every part sees the database as it was when the
 * statement began, but for the UPDATE of the fence: where it has to wait for another that changes the row, it is decided anew on what that
 * one left.
 *
 * That an entry of the inbox is looked for in the older picture is no gap: whoever wrote it held the shard's row in an epoch or with a
 * number before, and the row would not match then. The primary key of the inbox guards within one part of it.
 */
function textOf(tables: Tables, form: CommitForm, parts: readonly Part[]): string {
  const { given, ofPart } = placesOf(parts);
  const { handled } = ofPart;
  const queries = [
    `given AS (
  SELECT * FROM ${rowsOf(given)} AS g (shard, epoch, number, previous, token)
)`,
    ...(handled === undefined ? [] : [`repeated AS (${repeated(tables, handled)})`]),
    `fenced AS (
  UPDATE ${tables.shards} s SET number = g.number, token = g.token
  FROM given g
  WHERE ${STANDS_BEFORE}${handled === undefined ? '' : ' AND NOT EXISTS (SELECT FROM repeated)'}
  RETURNING s.shard, s.epoch, s.number
)`,
    ...parts.map((part) => WRITES[part](tables, ofPart[part]!, parts)),
  ];
  const answer = form === 'group' ? verdicts : outcome;
  return `WITH ${queries.join(', ')}\n${answer(handled !== undefined)}`;
}

/** Parameters of the columns of a part, each an array. */
type Columns = readonly string[];

interface Places {
  readonly given: Columns;
  readonly ofPart: Partial<Record<Part, Columns>>;
}

/** Where the parameters of a commit stand; `$1` is the instance. */
function placesOf(parts: readonly Part[]): Places {
  let last = 1;
  const take = (types: readonly string[]): Columns => types.map((type) => `$${++last}::${type}[]`);
  const given = take(COMMITS);
  return { given, ofPart: Object.fromEntries(parts.map((part) => [part, take(PARTS[part])])) };
}

/** SQL has no other way to raise an error in an expression than to fail. What is cast is no constant, which would fail at once. */
function raise(refusal: Refusal): string {
  return `('${REFUSALS[refusal]} ' || now())::int4`;
}

function rowsOf(columns: Columns): string {
  return `unnest(${columns.join(', ')})`;
}

/** Whether the row of a shard `s` is as it was before the commit `g`. */
const STANDS_BEFORE =
  's.instance = $1::int4 AND s.shard = g.shard AND s.epoch = g.epoch AND s.number = g.number - 1 AND s.token = g.previous';

function verdicts(mayRepeat: boolean): string {
  const committed = 'SELECT shard, NULL::bytea FROM fenced';
  return mayRepeat ? `${committed} UNION ALL SELECT NULL, uuid_send(digest) FROM repeated` : committed;
}

function outcome(mayRepeat: boolean): string {
  const known = mayRepeat ? `WHEN EXISTS (SELECT FROM repeated) THEN ${raise('repeated')} ` : '';
  return `SELECT CASE ${known}WHEN EXISTS (SELECT FROM fenced) THEN 1 ELSE ${raise('stale')} END`;
}

/** An entry that is in the inbox already, of a shard that is not stale. A replay goes on where its dead letter is not handled. */
function repeated(tables: Tables, handled: Columns): string {
  return `
  SELECT h.digest FROM ${rowsOf(handled)} AS h (shard, digest, payload_hash, outcome, replay)
  JOIN given g ON g.shard = h.shard
  JOIN ${tables.shards} s ON ${STANDS_BEFORE}
  JOIN ${tables.inbox} i ON i.instance = $1::int4 AND i.digest = h.digest
  WHERE i.outcome = ${HANDLED} OR i.replay >= h.replay
  LIMIT 1
`;
}

/** What is written for the shards in `fenced (shard, epoch, number)`, by part. */
const WRITES: Record<Part, (tables: Tables, columns: Columns, parts: readonly Part[]) => string> = {
  handled: (tables, columns) => `part AS (
  SELECT part FROM ${tables.inboxParts} WHERE started_at IS NOT NULL ORDER BY started_at DESC LIMIT 1
), remembered AS (
  INSERT INTO ${tables.inbox} AS i (digest, instance, part, outcome, replay, payload_hash)
  SELECT h.digest, $1::int4, part.part, h.outcome, h.replay, h.payload_hash
  FROM ${rowsOf(columns)} AS h (shard, digest, payload_hash, outcome, replay)
  JOIN fenced f ON f.shard = h.shard CROSS JOIN part
  ON CONFLICT (digest, instance, part) DO UPDATE SET payload_hash = excluded.payload_hash, replay = excluded.replay,
    outcome = CASE WHEN i.outcome = ${HANDLED} OR i.replay >= excluded.replay THEN -1 ELSE excluded.outcome END
)`,
  kept: (tables, columns, parts) => `kept AS (
  INSERT INTO ${tables.states} (instance, key, version, bytes, expires_at)
  SELECT $1::int4, w.key, w.version, w.bytes, now() + w.ttl * interval '1 millisecond'
  FROM ${rowsOf(columns)} AS w (shard, key, version, bytes, ttl) JOIN fenced f ON f.shard = w.shard
  ON CONFLICT (instance, key) DO UPDATE
    SET version = excluded.version, bytes = excluded.bytes, expires_at = excluded.expires_at,
      revision = excluded.revision, changed_at = excluded.changed_at${parts.includes('audited') ? '\n  RETURNING key, revision' : ''}
)`,
  forgotten: (tables, columns) => `forgotten AS (
  DELETE FROM ${tables.states} s
  USING ${rowsOf(columns)} AS w (shard, key), fenced f
  WHERE f.shard = w.shard AND s.instance = $1::int4 AND s.key = w.key
)`,
  audited: (tables, columns, parts) => `audited AS (
  INSERT INTO ${tables.audit}
    (instance, address, key, action, done_by, reason, process, revision_before, previous_version, previous_bytes, revision_after)
  SELECT $1::int4, a.address, a.key, convert_from(a.action, 'UTF8'), convert_from(a.done_by, 'UTF8'), convert_from(a.reason, 'UTF8'),
    convert_from(a.process, 'UTF8'), a.revision, a.version, a.bytes, ${parts.includes('kept') ? 'k.revision' : 'NULL::int8'}
  FROM ${rowsOf(columns)} AS a (shard, address, key, action, done_by, reason, process, revision, version, bytes)
  JOIN fenced f ON f.shard = a.shard${parts.includes('kept') ? ' LEFT JOIN kept k ON k.key = a.address' : ''}
)`,
  outbox: (tables, columns) => `queued AS (
  INSERT INTO ${tables.outbox}
    (instance, shard, epoch, commit_number, index, ${MESSAGE_COLUMNS})
  SELECT $1::int4, f.shard, f.epoch, f.number, o.index, o.kind, o.source, o.key, o.message_id, o."timestamp", o.headers, o.body
  FROM ${rowsOf(columns)} AS o (shard, index, ${MESSAGE_COLUMNS})
  JOIN fenced f ON f.shard = o.shard
)`,
  sent: (tables, columns) => `sent AS (
  DELETE FROM ${tables.outbox} o
  USING ${rowsOf(columns)} AS d (of_shard, shard, epoch, commit_number, index), fenced f
  WHERE f.shard = d.of_shard AND o.instance = $1::int4 AND o.shard = d.shard AND o.epoch = d.epoch
    AND o.commit_number = d.commit_number AND o.index = d.index
)`,
  taken: (tables, columns) => `taken AS (
  DELETE FROM ${tables.enqueued} e
  USING ${rowsOf(columns)} AS d (of_shard, id), fenced f
  WHERE f.shard = d.of_shard AND e.instance = $1::int4 AND e.id = d.id
)`,
};
