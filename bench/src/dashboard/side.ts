import 'reflect-metadata';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Ack, ack, type DataUpdaterHandler, MessageHandler, MississippiModule } from '@mississippi/core';
import { MississippiDashboardModule } from '@mississippi/dashboard';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BenchTransport } from '../process/bench-transport.js';
import { Feeder, Tally } from '../process/feeder.js';
import { Keys } from '../process/keys.js';
import { Bodies } from '../process/message.js';
import { Stopwatch } from '../harness/measurement.js';

/** What a process of its own does, between being asked to and telling. */
export interface Load {
  readonly warmUp: number;
  readonly messages: number;
  readonly keys: number;
  readonly wave: number;
}

@Module({})
class BenchModule {}

@MessageHandler()
class Counting implements DataUpdaterHandler<number, unknown> {
  async handleMessage(_payload: unknown, state: number | undefined): Promise<Ack<number>> {
    return ack((state ?? 0) + 1);
  }
}

const guards = [{ canActivate: () => true }];

/** Tells the parent where its dashboard is, once warm; measures when the parent says so; tells CPU microseconds a message. */
export async function runSide(dashboard: boolean, { warmUp, messages, keys, wave }: Load): Promise<void> {
  const tally = new Tally();
  const transport = new BenchTransport(Math.max(300, wave), tally.handled);
  const app = await open(transport, dashboard);
  const feeder = new Feeder(
    {
      dispatch: (_name, shard, message) => transport.receivers[shard]!.deliver(message),
      close: () => app.close(),
    },
    tally,
    new Keys(keys),
    new Bodies(),
  );
  await feeder.feed(warmUp, wave);
  const { port } = app.getHttpServer().address() as AddressInfo;
  process.send!({ url: `http://127.0.0.1:${port}/mississippi/api/live` });
  await once(process, 'message');
  globalThis.gc?.();
  const watch = new Stopwatch();
  await feeder.feed(messages, wave);
  const { cpu } = watch.stop(messages);
  process.send!({ cpu: cpu / messages });
  await app.close();
}

/** With an HTTP server in each, so that the sides differ in the dashboard alone. */
async function open(transport: BenchTransport, dashboard: boolean): Promise<INestApplication> {
  const imports = [MississippiModule.forRoot({ transport })];
  if (dashboard) imports.push(MississippiDashboardModule.forRoot({ guards }));
  const app = await NestFactory.create({ module: BenchModule, imports, providers: [Counting] }, { logger: false });
  await app.listen(0, '127.0.0.1');
  return app;
}
