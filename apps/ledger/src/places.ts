import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PrivateBroker, PrivateDatabase } from '@mississippi/servers';
import type { Places } from './app/backends.js';
import type { LedgerOptions } from './options.js';

/** Where the ledger is for one run, with servers of its own where none was named, and how to leave nothing of it. */
export interface OpenPlaces {
  places: Places;
  /** For people. */
  description: string;
  close: () => Promise<void>;
}

export async function openPlaces({ rabbitmq, postgres, name }: LedgerOptions): Promise<OpenPlaces> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ledger-'));
  const closing = [async () => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const one of closing.toReversed()) await one();
  };
  try {
    const broker = rabbitmq === '' ? await PrivateBroker.start() : undefined;
    if (broker !== undefined) closing.push(async () => broker.stop());
    const database = postgres === '' ? await PrivateDatabase.start() : undefined;
    if (database !== undefined) closing.push(async () => database.stop());
    const carrier = broker?.url ?? rabbitmq;
    const keeper = database?.url ?? postgres;
    const places: Places = {
      // A store knows by which transport its messages come, and refuses another.
      name: carrier === undefined ? `${name}_embedded` : name,
      folder,
      ...(carrier === undefined ? {} : { rabbitmq: carrier }),
      ...(keeper === undefined ? {} : { postgres: keeper }),
    };
    return { places, description: describe(rabbitmq, postgres), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function describe(rabbitmq: string | undefined, postgres: string | undefined): string {
  const carrier = rabbitmq === undefined ? 'in the worker, kept with the accounts' : ownOrGiven(rabbitmq, 'RabbitMQ');
  const keeper = postgres === undefined ? 'PGlite, the embedded PostgreSQL' : ownOrGiven(postgres, 'PostgreSQL');
  return `Messages: ${carrier}\nAccounts: ${keeper}`;
}

function ownOrGiven(url: string, name: string): string {
  return url === '' ? `a ${name} of this run's own` : `the ${name} at ${new URL(url).host}`;
}
