/**
 * A user's app, from the tarballs alone: `npm run test:packages` compiles and runs it in every combination. It names
 * something of every entry of every package, and prints what its handler has made of three messages.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import {
  ack,
  DataUpdaterService,
  EventsProducer,
  memoryStore,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type MessageContext,
} from '@mississippi/core';
import type { Store } from '@mississippi/core/store';
import type { Telemetry } from '@mississippi/core/telemetry';
import { systemClock, type Transport } from '@mississippi/core/transport';
import { openTelemetry } from '@mississippi/opentelemetry';
import { postgres } from '@mississippi/postgres';
import { rabbitmq } from '@mississippi/rabbitmq';
import { MississippiHealthIndicator } from '@mississippi/terminus';
import { phash2 } from '@mississippi/terms';
import { IsInt } from 'class-validator';

class Booking {
  @IsInt()
  cents!: number;
}

@MessageHandler({ payload: Booking })
class LedgerHandler implements DataUpdaterHandler<number, Booking> {
  init(): number {
    return 0;
  }
  handleMessage({ cents }: Booking, balance: number, { key }: MessageContext) {
    if (key !== 'account') throw new Error(`a message of ${key}`);
    return ack(balance + cents);
  }
  handleSignal(_signal: unknown, balance: number): number {
    return balance;
  }
}

const store: Store = memoryStore();
const telemetry: Telemetry = openTelemetry();

@Module({
  imports: [MississippiModule.forRoot({ store, telemetry }), TerminusModule],
  providers: [LedgerHandler, MississippiHealthIndicator],
})
class AppModule {}

/** Made and not opened: there is no broker and no database here. */
function others(): Transport {
  postgres({ connectionString: 'postgres://localhost/none' });
  return rabbitmq({ urls: ['amqp://localhost'] });
}

async function main(): Promise<void> {
  others();
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
  app.enableShutdownHooks();
  for (const cents of [5, 7, 30]) await app.get(EventsProducer).publish({ cents }, { shardingKey: 'account' });
  const service = app.get(DataUpdaterService);
  while ((await service.handleSignal<number>('account', 'balance')) !== 42) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { mississippi } = app.get(MississippiHealthIndicator).check('mississippi');
  const refused = await service.handleMessage('account', { payload: { cents: 'all' } }).then(
    () => 'taken',
    (error: { code?: string }) => error.code,
  );
  const words = ['balance 42', mississippi.status, refused, typeof phash2('k'), typeof systemClock.now()];
  await app.close();
  console.log(words.join(', '));
}

void main();
