import 'reflect-metadata';
import { once } from 'node:events';
import {
  DataUpdaterService,
  EventsProducer,
  MessageHandler,
  MississippiModule,
  shardOf,
  type DataUpdaterHandler,
  type MississippiEvent,
} from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { clock } from './clock.js';
import type { Probe, Strike, Told, WorkerPlan } from './protocol.js';

/** A process that does nothing but own shards, with the library's defaults; it tells which, and what probes it handles. */
process.once('disconnect', () => process.exit(1));
const { url, prefix, shards, quorum, heartbeat } = JSON.parse(process.argv[2]!) as WorkerPlan;

function tell(told: Told): void {
  process.send?.(told);
}

function tellShard(event: MississippiEvent): void {
  if (event.type === 'shardOwned') tell({ type: 'took', shard: event.shard, at: clock() });
  else if (event.type === 'shardLost' || event.type === 'shardReleased')
    tell({ type: 'gave', shard: event.shard, at: clock() });
}

@MessageHandler()
class ProbeHandler implements DataUpdaterHandler<undefined, Probe> {
  constructor(service: DataUpdaterService) {
    service.events.subscribe(tellShard); // Before the app starts, so that nothing is missed.
  }

  handleMessage({ probe }: Probe): void {
    tell({ type: 'handled', probe, at: clock() });
  }
}

@Module({
  imports: [
    MississippiModule.forRoot({
      transport: rabbitmq({
        urls: [url],
        ...(heartbeat === undefined ? {} : { heartbeat }),
        queues: { prefix, totalCount: shards, type: quorum ? 'quorum' : 'classic' },
      }),
    }),
  ],
  providers: [ProbeHandler],
})
class OwnerModule {}

/** What it rejects with ends the process, and the measurement with it. */
function strike({ pid, signal, probes }: Strike): void {
  tell({ type: 'struck', at: clock() });
  process.kill(pid, signal);
  for (const { probe, shard } of probes) {
    void producer.publish({ probe } satisfies Probe, { shardingKey: keys[shard]! });
  }
}

/** A key of each shard. */
function keysOfShards(): string[] {
  const keys: string[] = [];
  for (let missing = shards, i = 0; missing > 0; i++) {
    const shard = shardOf(`key${i}`, { totalCount: shards });
    if (keys[shard] !== undefined) continue;
    keys[shard] = `key${i}`;
    missing--;
  }
  return keys;
}

// Loading takes the same time whatever decides who owns a shard, and many that load at once would not start at once.
tell({ type: 'loaded' });
await once(process, 'message');
const app = await NestFactory.createApplicationContext(OwnerModule, { logger: ['warn', 'error'], abortOnError: false });
const producer = app.get(EventsProducer);
const keys = keysOfShards();
process.on('message', strike);
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
tell({ type: 'up' });
