import { memory } from '@mississippi/core';
import { postgres } from '@mississippi/postgres';
import { rabbitmq } from '@mississippi/rabbitmq';
import type { Backends } from './ledger.module.js';

/** How many queues carry the postings. The broker and the store remember it, and refuse another number. */
const SHARDS = 16;

/** Where messages and accounts are. */
export interface Places {
  /** Url of a RabbitMQ; left out, messages stay in the process and the store keeps them. */
  rabbitmq?: string;
  /** What the names of its queues begin with, and the schema in the database. */
  name: string;
  /** Url of a PostgreSQL; left out, the embedded one is taken. */
  postgres?: string;
  /** The embedded one's folder. */
  folder: string;
}

export function backendsOf({ rabbitmq: broker, name, postgres: database, folder }: Places): Backends {
  return {
    transport:
      broker === undefined
        ? memory()
        : rabbitmq({ urls: [broker], queues: { prefix: `${name}_`, totalCount: SHARDS } }),
    store:
      database === undefined
        ? postgres({ folder, schema: name })
        : postgres({ connectionString: database, schema: name }),
  };
}
