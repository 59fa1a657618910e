// An operator's process that replays all dead letters, to be killed while it does. It tells its parent how far it is.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MississippiModule, MississippiOperator } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';

class App {}
const transport = rabbitmq(JSON.parse(process.argv[2]));
Module({ imports: [MississippiModule.forRoot({ producerOnly: true, transport })] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: ['error', 'warn'] });
const operator = app.get(MississippiOperator, { strict: false });
await operator.replay({}, { rate: 1_000, progress: ({ done }) => process.send(done) });
await app.close();
process.disconnect();
