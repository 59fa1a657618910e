import { StoreMismatchError } from '@mississippi/core';
import type { StoreContext } from '@mississippi/core/store';
import type { Database } from '../database/database.interface.js';
import { integer, text, type Param } from '../statements/params.js';
import { statement } from '../statements/statement.js';
import type { Tables } from '../statements/tables.js';

/**
 * Finds the instance, or makes it known.
 * @returns its number, which stands in all other tables
 * @throws {StoreMismatchError}
 */
export async function registerInstance(database: Database, tables: Tables, context: StoreContext): Promise<number> {
  const { instance, shards, inboxHorizon, settleTime } = context;
  const question = statement(
    'register',
    `INSERT INTO ${tables.instances} AS i (name, transport, total_count, hash, inbox_horizon, settle_time)
VALUES ($1::text, $2::text, $3::int4, $4::text, $5::int8, $6::int8)
ON CONFLICT (name) DO UPDATE SET (inbox_horizon, settle_time) = (SELECT excluded.inbox_horizon, excluded.settle_time
    WHERE (i.transport, i.total_count, i.hash) = (excluded.transport, excluded.total_count, excluded.hash)
  UNION ALL SELECT i.inbox_horizon, i.settle_time LIMIT 1)
RETURNING id, transport, total_count, hash`,
  );
  const { transport, totalCount, hash } = shards;
  const params = [
    text(instance),
    text(transport),
    integer(totalCount),
    text(hash),
    span(inboxHorizon),
    span(settleTime),
  ];
  const [row] = await database.ask(question, params);
  const [id, ...known] = row!.map(String);
  if (known.join() !== [transport, totalCount, hash].join()) {
    const [knownTransport, knownCount, knownHash] = known;
    throw new StoreMismatchError(
      `The store knows the instance '${instance}' with the transport ${knownTransport}, ${knownCount} shards and the hash ${knownHash}, ` +
        `and not with ${transport}, ${totalCount} and ${hash}: use what it knows, or another instance or schema.`,
    );
  }
  return Number(id);
}

/** Milliseconds, no longer than a date can hold. */
function span(milliseconds: number): Param {
  return integer(Math.min(Math.ceil(milliseconds), 1e14));
}
