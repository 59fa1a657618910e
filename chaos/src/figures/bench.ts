import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DataUpdaterService,
  EventsProducer,
  MessageHandler,
  MississippiModule,
  reply,
  type DataUpdaterHandler,
  type Reply,
} from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { endWithParent } from '../app.js';
import type { BenchPlan, BenchStatus, Request, Response } from './bench-protocol.js';

/** Messages under way while as many as possible are published. */
const UNCONFIRMED = 1_000;

/** How often what is due is published. Milliseconds. */
const BEAT = 10;

endWithParent();
const plan = JSON.parse(process.argv[2]!) as BenchPlan;
let handled = 0;
let published = 0;

/** Waits like a handler that asks a database; counts the signals of each key. */
@MessageHandler()
class BenchHandler implements DataUpdaterHandler<number, unknown, string, unknown, number> {
  init(): number {
    return 0;
  }

  async handleMessage(): Promise<void> {
    await sleep(plan.work);
    handled++;
  }

  handleSignal(_signal: unknown, signals: number): Reply<number, number> {
    return reply(signals + 1, signals + 1);
  }
}

const transport = rabbitmq({
  urls: [plan.url],
  heartbeat: plan.heartbeat,
  queues: { prefix: plan.prefix, totalCount: plan.shards, type: plan.quorum ? 'quorum' : 'classic' },
});
const handles = plan.concurrency > 0;

@Module({
  imports: [
    MississippiModule.forRoot(
      handles ? { transport, concurrency: plan.concurrency } : { transport, producerOnly: true },
    ),
  ],
  providers: handles ? [BenchHandler] : [],
})
class BenchModule {}

const app = await NestFactory.createApplicationContext(BenchModule, { logger: ['warn', 'error'], abortOnError: false });
const producer = app.get(EventsProducer);
const service = app.get(DataUpdaterService);

function status(): BenchStatus {
  const { user, system } = process.cpuUsage();
  return { handled, shards: service.status().shards, cpu: (user + system) / 1_000 };
}

const publishNext = (): Promise<void> => producer.publish({}, { shardingKey: `k${published++ % plan.keys}` });

async function publish(messages: number): Promise<null> {
  const end = published + messages;
  const publish = async (): Promise<void> => {
    while (published < end) await publishNext();
  };
  await Promise.all(Array.from({ length: UNCONFIRMED }, publish));
  return null;
}

let beat: NodeJS.Timeout | undefined;

function load(rate: number): null {
  clearInterval(beat);
  let then = performance.now();
  let due = 0;
  beat = setInterval(() => {
    const now = performance.now();
    due += (rate * (now - then)) / 1_000;
    for (then = now; due >= 1; due--) publishNext().catch((error: unknown) => console.error(error));
  }, BEAT);
  return null;
}

const answered = new Map<string, number>();

async function signal(times: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const key = `k${i % plan.keys}`;
    const begun = performance.now();
    const count = await service.handleSignal<number>(key, {});
    took.push(performance.now() - begun);
    // A data updater that was started anew would count from the beginning.
    if (count !== (answered.get(key) ?? 0) + 1) throw new Error(`the data updater of ${key} did not live on`);
    answered.set(key, count);
  }
  return took;
}

function respond(request: Request): unknown {
  switch (request.call) {
    case 'status':
      return status();
    case 'publish':
      return publish(request.ask.messages);
    case 'load':
      return load(request.ask.rate);
    case 'signal':
      return signal(request.ask.times);
  }
}

process.on('message', (request: Request) => {
  const { call } = request;
  Promise.resolve()
    .then(() => respond(request))
    .then(
      (answer) => process.send?.({ call, answer } satisfies Response),
      (error: unknown) => process.send?.({ call, error: String(error) } satisfies Response),
    );
});
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
process.send?.({} satisfies Response);
