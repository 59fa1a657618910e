import { EventsProducer, MississippiModule, shardOf } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Probe, WorkerPlan } from './protocol.js';

@Module({})
class ProberModule {}

/** Publishes messages that look whether their shard is served. */
export class Prober {
  private probes = 0;
  private readonly producer: EventsProducer;
  private readonly keys: readonly string[];

  private constructor(
    private readonly app: INestApplicationContext,
    shards: number,
  ) {
    this.producer = app.get(EventsProducer);
    this.keys = keysOf(shards);
  }

  static async open({ url, prefix, shards, quorum }: WorkerPlan): Promise<Prober> {
    const queues = { prefix, totalCount: shards, type: quorum ? ('quorum' as const) : ('classic' as const) };
    const options = { transport: rabbitmq({ urls: [url], queues }), producerOnly: true };
    const module = { module: ProberModule, imports: [MississippiModule.forRoot(options)] };
    const logger = ['warn' as const, 'error' as const];
    return new Prober(await NestFactory.createApplicationContext(module, { logger, abortOnError: false }), shards);
  }

  /** Publishes a probe to a shard. Returns its number at once; what it rejects with ends the process. */
  send(shard: number): number {
    const probe = ++this.probes;
    void this.producer.publish({ probe } satisfies Probe, { shardingKey: this.keys[shard]! });
    return probe;
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

/** A key of each shard. */
function keysOf(shards: number): string[] {
  const keys: string[] = [];
  for (let missing = shards, i = 0; missing > 0; i++) {
    const shard = shardOf(`key${i}`, { totalCount: shards });
    if (keys[shard] !== undefined) continue;
    keys[shard] = `key${i}`;
    missing--;
  }
  return keys;
}
