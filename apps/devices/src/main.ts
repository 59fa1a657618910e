import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NoServerError, PrivateBroker } from '@mississippi/servers';
import { NestFactory } from '@nestjs/core';
import { demonstrate } from './demonstration.js';
import { DevicesModule } from './devices.module.js';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Tells whether each device is known as it is. */
async function run(url: string): Promise<boolean> {
  const app = await NestFactory.createApplicationContext(DevicesModule.register(url), {
    logger: ['warn', 'error'],
    abortOnError: false,
  });
  app.enableShutdownHooks();
  try {
    return await demonstrate(app, url, print);
  } finally {
    await app.close();
  }
}

async function runOnOwn(): Promise<boolean> {
  const broker = await PrivateBroker.start();
  print('A RabbitMQ was started for this run only.');
  try {
    return await run(broker.url);
  } finally {
    await broker.stop();
  }
}

try {
  const { rabbitmq: url } = parseArgs({ options: { rabbitmq: { type: 'string' } } }).values;
  const right = url === undefined ? await runOnOwn() : await run(url);
  print(right ? 'VERIFIED: each device has all of its readings, in order' : 'NOT as it must be');
  process.exitCode = right ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof NoServerError ? 2 : 1;
}
