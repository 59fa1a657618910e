import { type INestApplication, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LedgerModule } from './ledger.module.js';

/** The sample asks nobody who they are, so it listens to this machine only. */
export const HOST = '127.0.0.1';

export async function createApp(...ledger: Parameters<typeof LedgerModule.register>): Promise<INestApplication> {
  const app = await NestFactory.create(LedgerModule.register(...ledger), {
    logger: ['warn', 'error'],
    // Until it listens, logs are held back: an error on the way is thrown too, and told by whoever started it.
    bufferLogs: true,
    autoFlushLogs: false,
    abortOnError: false,
  });
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
  app.enableShutdownHooks(['SIGINT', 'SIGTERM']);
  return app;
}
