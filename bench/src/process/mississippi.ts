import 'reflect-metadata';
import { DataUpdaterService, MessageHandler, MississippiModule, memory, type Transport } from '@mississippi/core';
import type { INestApplicationContext } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BenchTransport } from './bench-transport.js';
import { Counting } from './counting.handler.js';
import type { Dispatcher, Payload, Setup } from './dispatcher.js';

@MessageHandler()
class CountingHandler extends Counting {}

@Module({})
class BenchModule {}

async function startApp(transport: Transport, payload: Payload): Promise<INestApplicationContext> {
  const imports = [MississippiModule.forRoot({ transport, payload })];
  const app = await NestFactory.createApplicationContext(
    { module: BenchModule, imports, providers: [CountingHandler] },
    { logger: false, abortOnError: false },
  );
  return app.enableShutdownHooks();
}

/** The whole library behind a transport of the bench: tracker, outcome, state, settlement, default options. */
export async function mississippi({ payload, window, handled }: Setup): Promise<Dispatcher> {
  const transport = new BenchTransport(window, handled);
  const app = await startApp(transport, payload);
  const { receivers } = transport;
  return {
    dispatch: (_name, shard, message) => receivers[shard]!.deliver(message),
    close: () => app.close(),
  };
}

/** The call for messages that another transport brought, which answers each with its outcome. */
export async function directCalls({ payload, handled }: Setup): Promise<Dispatcher> {
  const app = await startApp(memory(), payload);
  const service = app.get(DataUpdaterService);
  return {
    dispatch: (name, _shard, { body }) => void service.handleMessage(name, { payload: body }).then(handled),
    close: () => app.close(),
  };
}
