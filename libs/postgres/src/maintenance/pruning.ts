import type { Database } from '../database/database.interface.js';
import { SQL_STATE, sqlStateOf } from '../errors/sql-states.js';
import { statement } from '../statements/statement.js';
import type { Tables } from '../statements/tables.js';
import { INBOX_PARTS } from '../schema/tables.js';

/** After which silence a shard counts as one without an owner, who says once a minute that it is there. */
const SILENCE = `interval '3 minutes'`;
/** Expired states that are removed with one statement. */
const BATCH = 1_000;
/** Parts that are full of entries that are still needed: all but the current one and the next. */
const FULL_PARTS = INBOX_PARTS - 2;

/**
 * Empties what is needed no longer. The inbox has a ring of parts. When the current one is as old as a share of the longest horizon, the next
 * one is emptied at once by TRUNCATE and becomes the current one. By then all of its entries are older than that horizon. It waits
 * while a message in the outbox is older than its last entry, whose receiver may have to recognise it; and while a shard has no owner, or
 * one that is new: what a former one had not acked comes again, however long that was ago.
 */
export class Pruning {
  constructor(
    private readonly database: Database,
    private readonly tables: Tables,
  ) {}

  /** @returns whether a part was emptied */
  async turnInbox(): Promise<boolean> {
    // Most questions end here, without a transaction.
    const [[due] = []] = await this.database.ask(statement('turn_due', this.due()), []);
    if (typeof due !== 'number') return false;
    try {
      return await this.database.inTransaction(async (ask) => {
        const { inboxParts, inbox } = this.tables;
        await ask(`SET LOCAL lock_timeout = 200`);
        await ask(`LOCK TABLE ${inboxParts} IN SHARE ROW EXCLUSIVE MODE`);
        const [[next] = []] = await ask(this.due());
        if (typeof next !== 'number') return false;
        await ask(`TRUNCATE ${inbox}_${next}`);
        await ask(`UPDATE ${inboxParts} SET started_at = now() WHERE part = ${next}`);
        return true;
      });
    } catch (error) {
      // Somebody reads there for long, or another process is at it: there is time.
      if (sqlStateOf(error) === SQL_STATE.lockNotAvailable) return false;
      throw error;
    }
  }

  /** What has kept the inbox from being pruned for a whole horizon more than it should; `undefined` where nothing has. */
  async obstacle(): Promise<string | undefined> {
    const { inboxParts, instances, outbox } = this.tables;
    const [row] = await this.database.ask(
      statement(
        'obstacle',
        `SELECT u.name, u.shard, (SELECT min(created_at)::text FROM ${outbox})
FROM (SELECT 1) one LEFT JOIN (${this.unsettled()} LIMIT 1) u ON true
WHERE (SELECT max(started_at) FROM ${inboxParts}) < now() - (SELECT max(inbox_horizon) * interval '1 millisecond' FROM ${instances})`,
      ),
      [],
    );
    if (row === undefined) return undefined;
    const [instance, shard, oldest] = row.map(String);
    if (row[0] !== null) return `shard ${shard} of the instance '${instance}' has no owner, or a new one`;
    return row[2] === null ? undefined : `a message of ${oldest} is still in the outbox`;
  }

  /** Removes states that outlived their `ttl`, some at a time. */
  async forgetExpired(): Promise<number> {
    const { states } = this.tables;
    const rows = await this.database.ask(
      statement(
        'expire',
        // What was given a new term meanwhile stays: the last condition is looked at anew.
        `DELETE FROM ${states} WHERE (instance, key) IN (
  SELECT instance, key FROM ${states} WHERE expires_at <= now() ORDER BY expires_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
) AND expires_at <= now() RETURNING 1`,
      ),
      [],
    );
    return rows.length;
  }

  /** The part that is to be the next one, if it is time. */
  private due(): string {
    const { inboxParts, instances, outbox } = this.tables;
    return `WITH horizon AS (
  SELECT max(inbox_horizon) * interval '1 millisecond' AS longest FROM ${instances}
), current AS (
  SELECT part, started_at FROM ${inboxParts} WHERE started_at IS NOT NULL ORDER BY started_at DESC LIMIT 1
), next AS (
  SELECT (part + 1) % ${INBOX_PARTS} AS part, (part + 2) % ${INBOX_PARTS} AS after FROM current
)
SELECT next.part FROM next CROSS JOIN current CROSS JOIN horizon
JOIN ${inboxParts} old ON old.part = next.part
LEFT JOIN ${inboxParts} newer ON newer.part = next.after
WHERE current.started_at <= now() - horizon.longest / ${FULL_PARTS}
  AND (old.started_at IS NULL OR (newer.started_at <= now() - horizon.longest
    AND NOT EXISTS (SELECT FROM ${outbox} WHERE created_at < newer.started_at)
    AND NOT EXISTS (${this.unsettled()})))`;
  }

  /** Shards without an owner, or whose owner is new. */
  private unsettled(): string {
    const { instances, shards, owners } = this.tables;
    return `SELECT i.name, s.shard FROM ${shards} s JOIN ${instances} i ON i.id = s.instance
  LEFT JOIN ${owners} o ON o.instance = s.instance AND o.shard = s.shard AND o.epoch = s.epoch
  WHERE o.seen_at IS NULL OR o.seen_at < now() - ${SILENCE}
    OR s.opened_at > now() - i.settle_time * interval '1 millisecond'`;
  }
}
