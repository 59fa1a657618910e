import type { LoggerService } from '@nestjs/common';
import type { Clock } from '@mississippi/core/transport';
import type { LazyChannel } from '../connection/lazy-channel.js';
import type { Topology } from '../topology/topology.js';
import { listOf } from './list-of.js';

/** For how long others consume a shard until it is asked who they are, and how often. Milliseconds. */
const INTERVAL = 10_000;

/**
 * Shards whose queue is consumed by somebody who is none of the processes that share the shards: he would take their messages in
 * silence. He is known by not consuming the shard's signals.
 */
export class Strangers {
  /** Since when each shard is consumed by others. */
  private readonly since = new Map<number, number>();
  private lookedAt = -Infinity;
  /** What the log last said. */
  private told = '';

  constructor(
    private readonly topology: Pick<Topology, 'declareSignals'>,
    private readonly clock: Clock,
    private readonly logger: LoggerService,
  ) {}

  /** @param taken the shards that others consume */
  async look(survey: Pick<LazyChannel, 'get'>, taken: readonly number[]): Promise<void> {
    const now = this.clock.now();
    for (const shard of this.since.keys()) if (!taken.includes(shard)) this.since.delete(shard);
    for (const shard of taken) if (!this.since.has(shard)) this.since.set(shard, now);
    if (now - this.lookedAt < INTERVAL) return;
    this.lookedAt = now;
    const strange: number[] = [];
    for (const shard of taken) {
      if (now - this.since.get(shard)! < INTERVAL) continue;
      const { consumerCount } = await this.topology.declareSignals(await survey.get(), shard);
      if (consumerCount === 0) strange.push(shard);
    }
    this.tell(strange);
  }

  /** They may stay for ever, as Elixir's do, so each set of shards is told once. */
  private tell(shards: readonly number[]): void {
    const list = listOf(shards);
    if (list !== '' && list !== this.told) {
      this.logger.warn(
        `The shards ${list} are consumed by somebody who answers no signals: an Elixir process, a process that has not opened them yet, ` +
          `or a stranger, who takes their messages. See the queues' consumers in RabbitMQ, and end those that do not belong there.`,
      );
    }
    this.told = list;
  }
}
