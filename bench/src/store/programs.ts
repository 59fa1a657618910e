import 'reflect-metadata';
import {
  ack,
  type Ack,
  type DataUpdaterHandler,
  type MessageContext,
  MessageHandler,
  MississippiModule,
} from '@mississippi/core';
import { postgres, type SqlClient } from '@mississippi/postgres';
import { rabbitmq } from '@mississippi/rabbitmq';
import { decodeTerm } from '@mississippi/terms';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { ConsumeMessage } from 'amqplib';
import { Pool } from 'pg';
import { SHARDS } from '../process/keys.js';
import { openConnection, queueNames } from '../rabbitmq/queues.js';
import { KEY_HEADER, type Reading } from '../rabbitmq/reading.js';
import { BareWrites, insertReading, type Write } from './bare-writes.js';
import { add, NO_TOTAL, Totals, type Total } from './state.js';

/** Transactions of a bare program at once. */
const IN_FLIGHT = 16;

export interface ProgramSetup {
  readonly url: string;
  readonly prefix: string;
  /** URL of the database. */
  readonly database: string;
  readonly schema: string;
  /** The schema of the table that handlers write to themselves. */
  readonly readings: string;
  /** Most unacked messages of one queue. */
  readonly prefetch: number;
}

/** Runs until the process ends. Resolves when it takes messages, with what it says of itself at the end. */
export type StartProgram = (setup: ProgramSetup) => Promise<() => BareWrites | undefined>;

@MessageHandler()
class TotalHandler implements DataUpdaterHandler<Total, Reading> {
  init(): Total {
    return NO_TOTAL;
  }

  handleMessage(reading: Reading, total: Total): Ack<Total> {
    return ack(add(total, reading));
  }
}

/** Writes to a table of its own with each message. */
function readingsHandler(schema: string): Type<DataUpdaterHandler> {
  @MessageHandler()
  class ReadingsHandler implements DataUpdaterHandler<Total, Reading> {
    init(): Total {
      return NO_TOTAL;
    }

    async handleMessage(reading: Reading, total: Total, context: MessageContext): Promise<Ack<Total>> {
      const client = await context.transaction<SqlClient>();
      await client.query(insertReading(schema), [context.key, reading.sequence]);
      return ack(add(total, reading));
    }
  }
  return ReadingsHandler;
}

@Module({})
class ProgramModule {}

/** The library with its defaults, but for the prefetch. */
export async function openApp(
  { url, prefix, database, schema, prefetch }: Omit<ProgramSetup, 'readings'>,
  durable: boolean,
  handler: Type<DataUpdaterHandler> = TotalHandler,
): Promise<void> {
  const transport = rabbitmq({ urls: [url], prefetch, queues: { prefix, totalCount: SHARDS } });
  const store = durable ? { store: postgres({ connectionString: database, schema }) } : {};
  const app = await NestFactory.createApplicationContext(
    {
      module: ProgramModule,
      imports: [MississippiModule.forRoot({ transport, ...store })],
      providers: [handler],
    },
    { logger: ['error', 'warn'], abortOnError: false },
  );
  app.enableShutdownHooks();
}

function app(durable: boolean, handlerOf?: (readings: string) => Type<DataUpdaterHandler>): StartProgram {
  return async (setup) => {
    await openApp(setup, durable, handlerOf?.(setup.readings));
    return () => undefined;
  };
}

/** amqplib and pg: each message a transaction, acked after its commit. */
function bare(inFlight: number, write: (writes: BareWrites, message: Write) => Promise<void>): StartProgram {
  return async ({ url, prefix, database, schema, prefetch }) => {
    const pool = new Pool({ connectionString: database, max: inFlight });
    await Promise.all(Array.from({ length: inFlight }, async () => (await pool.connect()).release()));
    const writes = new BareWrites(pool, schema);
    const totals = new Totals();
    const model = await openConnection(url);
    // Who waits for a connection of the pool gets it in the order of asking.
    const consume = async (queue: string): Promise<void> => {
      const channel = await model.createChannel();
      await channel.prefetch(prefetch);
      const take = async (message: ConsumeMessage): Promise<void> => {
        const { headers, messageId } = message.properties;
        const key = decodeTerm(headers![KEY_HEADER] as Buffer) as string;
        const reading = JSON.parse(message.content.toString()) as Reading;
        await write(writes, {
          id: messageId as string,
          key,
          sequence: reading.sequence,
          state: totals.add(key, reading),
        });
        channel.ack(message);
      };
      await channel.consume(queue, (message) => {
        if (message !== null) void take(message);
      });
    };
    await Promise.all(queueNames(prefix).map(consume));
    return () => writes;
  };
}

export const APPS = {
  mississippi: app(true),
  'mississippi, own write': app(true, readingsHandler),
  'no store': app(false),
} satisfies Record<string, StartProgram>;

export type AppName = keyof typeof APPS;

export const PROGRAMS = {
  ...APPS,
  bare: bare(IN_FLIGHT, (writes, message) => writes.inTransaction(message)),
  'bare, own write': bare(IN_FLIGHT, (writes, message) => writes.withReading(message)),
  'bare, one statement': bare(IN_FLIGHT, (writes, message) => writes.inOneStatement(message)),
  serial: bare(1, (writes, message) => writes.inTransaction(message)),
  'serial, own write': bare(1, (writes, message) => writes.withReading(message)),
  'serial, one statement': bare(1, (writes, message) => writes.inOneStatement(message)),
} satisfies Record<string, StartProgram>;

export type ProgramName = keyof typeof PROGRAMS;
