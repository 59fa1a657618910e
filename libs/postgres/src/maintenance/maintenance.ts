import type { OpenShard, StoreContext } from '@mississippi/core/store';
import type { Database } from '../database/database.interface.js';
import { int4s, int8s, integer } from '../statements/params.js';
import { statement, type Statement } from '../statements/statement.js';
import type { Tables } from '../statements/tables.js';
import type { Pruning } from './pruning.js';

/** How often it is told why the inbox grows. Milliseconds. */
const TELL_EVERY = 3_600_000;

/** What is done once a minute, by each process of an instance. */
export class Maintenance {
  private readonly noting: Statement;
  private toldAt = -Infinity;

  constructor(
    private readonly database: Database,
    tables: Tables,
    private readonly instance: number,
    private readonly pruning: Pruning,
    private readonly context: Pick<StoreContext, 'clock' | 'logger'>,
  ) {
    this.noting = statement(
      'note_owners',
      `INSERT INTO ${tables.owners} (instance, shard, epoch, seen_at)
SELECT s.instance, s.shard, s.epoch, now()
FROM unnest($2::int4[], $3::int8[]) AS o (shard, epoch)
JOIN ${tables.shards} s ON s.instance = $1::int4 AND s.shard = o.shard AND s.epoch = o.epoch
ORDER BY s.shard
ON CONFLICT (instance, shard) DO UPDATE SET epoch = excluded.epoch, seen_at = excluded.seen_at`,
    );
  }

  async run(open: readonly OpenShard[]): Promise<void> {
    const shards = int4s(open.map(({ shard }) => shard));
    const epochs = int8s(open.map(({ epoch }) => epoch));
    await this.database.ask(this.noting, [integer(this.instance), shards, epochs]);
    if (!(await this.pruning.turnInbox())) await this.tellObstacle();
    while ((await this.pruning.forgetExpired()) > 0);
  }

  private async tellObstacle(): Promise<void> {
    const { clock, logger } = this.context;
    if (clock.now() - this.toldAt < TELL_EVERY) return;
    const obstacle = await this.pruning.obstacle();
    if (obstacle === undefined) return;
    this.toldAt = clock.now();
    logger.warn(
      `The inbox grows, because ${obstacle}. Nothing is wrong as long as that is meant; what to do about an instance that is not used any more is in the operators' part of docs/store.md.`,
    );
  }
}
