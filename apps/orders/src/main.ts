import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { memory } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import { NestFactory } from '@nestjs/core';
import { demonstrate } from './demonstration.js';
import { OrdersModule } from './orders.module.js';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Tells whether the orders came out as they must. */
async function run(url: string | undefined): Promise<boolean> {
  const transport =
    url === undefined ? memory() : rabbitmq({ urls: [url], queues: { prefix: 'orders_', totalCount: 8 } });
  const app = await NestFactory.createApplicationContext(OrdersModule.register(transport), {
    logger: ['fatal'], // The refusals, which the log has as errors, are printed.
    abortOnError: false,
  });
  app.enableShutdownHooks();
  try {
    return await demonstrate(app, print);
  } finally {
    await app.close();
  }
}

try {
  const { rabbitmq: url } = parseArgs({ options: { rabbitmq: { type: 'string' } } }).values;
  const right = await run(url);
  print(right ? 'VERIFIED: each order went through its life in order' : 'NOT as it must be');
  process.exitCode = right ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
