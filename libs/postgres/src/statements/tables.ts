import { quoted } from './statement.js';

/** The names of the tables, with their schema. */
export interface Tables {
  readonly version: string;
  readonly instances: string;
  readonly shards: string;
  readonly owners: string;
  readonly states: string;
  readonly inbox: string;
  readonly inboxParts: string;
  readonly outbox: string;
  readonly enqueued: string;
  readonly audit: string;
}

export function tablesIn(schema: string): Tables {
  const name = quoted(schema);
  return {
    version: `${name}.version`,
    instances: `${name}.instances`,
    shards: `${name}.shards`,
    owners: `${name}.owners`,
    states: `${name}.states`,
    inbox: `${name}.inbox`,
    inboxParts: `${name}.inbox_parts`,
    outbox: `${name}.outbox`,
    enqueued: `${name}.enqueued`,
    audit: `${name}.audit`,
  };
}

/** The columns of a message, in the tables that keep messages. */
export const MESSAGE_COLUMNS = `kind, source, key, message_id, "timestamp", headers, body`;
