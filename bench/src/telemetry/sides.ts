import 'reflect-metadata';
import {
  type Ack,
  ack,
  type DataUpdaterHandler,
  EventsProducer,
  memory,
  MessageHandler,
  MississippiModule,
  type Transport,
} from '@mississippi/core';
import type { Telemetry } from '@mississippi/core/telemetry';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BenchTransport } from '../process/bench-transport.js';
import type { Dispatcher } from '../process/dispatcher.js';
import { Tally } from '../process/feeder.js';

/** What a message goes through: from its delivery on, or from `publish` on over the embedded transport. */
export type Path = 'delivered' | 'published';

/** The library with a telemetry, or with none. */
export interface Side {
  readonly name: string;
  readonly tally: Tally;
  readonly dispatcher: Dispatcher;
}

@Module({})
class BenchModule {}

async function startApp(
  transport: Transport,
  telemetry: Telemetry | undefined,
  handled: () => void,
): Promise<INestApplicationContext> {
  @MessageHandler()
  class Counting implements DataUpdaterHandler<number, unknown> {
    async handleMessage(_payload: unknown, state: number | undefined): Promise<Ack<number>> {
      handled();
      return ack((state ?? 0) + 1);
    }
  }
  const imports = [MississippiModule.forRoot({ transport, ...(telemetry === undefined ? {} : { telemetry }) })];
  return NestFactory.createApplicationContext(
    { module: BenchModule, imports, providers: [Counting] },
    { logger: false, abortOnError: false },
  );
}

/** @param wave the most messages that are under way at once */
export async function openSide(
  name: string,
  path: Path,
  telemetry: Telemetry | undefined,
  wave: number,
): Promise<Side> {
  const tally = new Tally();
  if (path === 'delivered') {
    const transport = new BenchTransport(Math.max(300, wave), tally.handled);
    const app = await startApp(transport, telemetry, () => undefined);
    const dispatch: Dispatcher['dispatch'] = (_name, shard, message) => transport.receivers[shard]!.deliver(message);
    return { name, tally, dispatcher: { dispatch, close: () => app.close() } };
  }
  const app = await startApp(memory(), telemetry, tally.handled);
  const producer = app.get(EventsProducer);
  const dispatch: Dispatcher['dispatch'] = (shardingKey, _shard, { messageId }) =>
    void producer.publish(PAYLOAD, { shardingKey, messageId });
  return { name, tally, dispatcher: { dispatch, close: () => app.close() } };
}

const PAYLOAD = { reading: 21.5, unit: 'celsius', at: 1_764_000_000 };
