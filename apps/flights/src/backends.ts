import { PGlite } from '@electric-sql/pglite';
import { memory, type Telemetry, type Transport } from '@mississippi/core';
import type { Store } from '@mississippi/core/store';
import { postgres } from '@mississippi/postgres';
import { NoServerError, PrivateBroker, PrivateDatabase } from '@mississippi/servers';
import type { FlightsOptions, StoreOptions } from './options.js';
import { print } from './output.js';
import { queues } from './queues.js';

/** What carries the flights, and what keeps the statistics; without a store they are in memory, as long as the process lives. */
export interface Backends {
  transport: Transport;
  store?: Store;
  /** Left out, neither traces nor metrics are made. */
  telemetry?: Telemetry;
  /** Whether the dashboard is served, actions and all. */
  dashboard?: boolean;
}

/** The same with the servers that were started for this run only. */
export interface OpenBackends extends Backends {
  /** Ends those servers; they go with this process, too. */
  close: () => Promise<void>;
}

/** @throws {NoServerError} when a RabbitMQ is to be started and none is installed */
export async function openBackends({ rabbitmq, store }: FlightsOptions): Promise<OpenBackends> {
  const servers: { stop: () => Promise<void> }[] = [];
  const close = async () => {
    await Promise.all(servers.map(async (server) => server.stop()));
  };
  try {
    let transport: Transport = memory();
    if (rabbitmq !== undefined) {
      const url = rabbitmq.url ?? (await started('RabbitMQ', PrivateBroker.start(), servers)).url;
      transport = queues(url, rabbitmq.prefix);
    }
    if (store === undefined) return { transport, close };
    return { transport, store: await storeOf(store, schemaOf(rabbitmq?.prefix), servers), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function storeOf(store: StoreOptions, schema: string, servers: { stop: () => Promise<void> }[]): Promise<Store> {
  if (store.kind === 'folder') {
    print(`The statistics are in the folder ${store.folder}, in a PGlite.`);
    return postgres({ folder: store.folder, schema });
  }
  if (store.kind === 'server') return postgres({ connectionString: store.url, schema });
  try {
    const { url } = await started('PostgreSQL', PrivateDatabase.start(), servers);
    return postgres({ connectionString: url, schema });
  } catch (error) {
    if (!(error instanceof NoServerError)) throw error;
    print('No PostgreSQL can be started here: a PGlite in this process keeps the statistics for this run only.');
    return postgres({ pglite: new PGlite(), schema });
  }
}

async function started<Server extends { stop: () => Promise<void> }>(
  name: string,
  starting: Promise<Server>,
  servers: { stop: () => Promise<void> }[],
): Promise<Server> {
  const server = await starting;
  servers.push(server);
  print(`A ${name} was started for this run only.`);
  return server;
}

/** A store knows by which queues its flights come, and refuses others: each prefix has tables of its own. */
function schemaOf(prefix: string | undefined): string {
  return prefix === undefined ? 'flights_embedded' : `flights_by_${prefix.replace(/\W/g, '_')}`;
}
