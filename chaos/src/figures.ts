import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { Crew } from './crew.js';
import { monotonic, type ChaosEvent } from './events.js';
import { readHistory } from './history-files.js';
import { LiveView } from './live-view.js';
import type { Place } from './place.js';
import { Recorder } from './recorder.js';
import type { RunOptions } from './run.js';

const PROCESSES = 4;
const KILLS = 10;
const STOPS = 3;

/** Milliseconds that each flight takes. */
const WORK = 5;

/** The library's defaults, which are what is measured. */
const PREFETCH = 300;
const CLAIM_INTERVAL = 500;

const LOOK = 20;
const PATIENCE = 120_000;

/** Longer than a round of claims, so that what is measured begins at rest. Milliseconds. */
const REST = 2_000;

type Sizes = Pick<RunOptions, 'shards' | 'keys' | 'publishers' | 'rate' | 'heartbeat' | 'seed' | 'quorum'>;

/** Measures how fast shards move. */
class Measurement {
  readonly kills: number[] = [];
  readonly joins: number[] = [];
  readonly stops: number[] = [];
  /** When shares were level for the first time; before, every start moved shards. */
  since = Infinity;

  constructor(
    private readonly crew: Crew,
    private readonly view: LiveView,
    private readonly shards: number,
    private readonly say: (line: string) => void,
  ) {}

  async measure(): Promise<void> {
    await this.crew.start();
    this.since = await this.level();
    for (let i = 0; i < KILLS; i++) {
      const victim = this.crew.workers[i % PROCESSES]!;
      await this.killed(victim);
      await this.joined(victim);
    }
    for (let i = 0; i < STOPS; i++) await this.stopped(this.crew.workers[i % PROCESSES]!);
  }

  private async killed(victim: Place): Promise<void> {
    await sleep(REST);
    const since = monotonic();
    await victim.kill();
    const milliseconds = (await this.served(victim)) - since;
    this.kills.push(milliseconds);
    this.say(`SIGKILL: all shards served after ${Math.round(milliseconds)} ms`);
  }

  private async joined(place: Place): Promise<void> {
    await sleep(REST);
    await place.start();
    const since = monotonic();
    const milliseconds = Math.max(0, (await this.level()) - since);
    this.joins.push(milliseconds);
    this.say(`join: shares level after ${Math.round(milliseconds)} ms`);
  }

  private async stopped(victim: Place): Promise<void> {
    await sleep(REST);
    const since = monotonic();
    victim.stop('stop');
    const milliseconds = (await this.served(victim)) - since;
    this.stops.push(milliseconds);
    this.say(`SIGSTOP: all shards served after ${Math.round(milliseconds)} ms`);
    victim.continue();
    await this.level();
  }

  /** Waits until the others own every shard. Returns when the last one was taken. */
  private served(victim: Place): Promise<number> {
    return this.until('every shard has another owner', (shares) => {
      const own = shares.get(victim.current) ?? 0;
      return own === 0 && this.sum(shares) === this.shards;
    });
  }

  private level(): Promise<number> {
    const names = this.crew.workers.map(({ current }) => current);
    return this.until('shares are level', (shares) => {
      const counts = names.map((name) => shares.get(name) ?? 0);
      return this.sum(shares) === this.shards && Math.max(...counts) - Math.min(...counts) <= 1;
    });
  }

  private async until(what: string, holds: (shares: ReadonlyMap<string, number>) => boolean): Promise<number> {
    const end = performance.now() + PATIENCE;
    for (;;) {
      this.view.refresh();
      if (holds(this.view.ownership.shares())) return this.view.ownership.ownedAt;
      if (performance.now() > end) throw new Error(`waited ${PATIENCE} ms in vain until ${what}`);
      await sleep(LOOK);
    }
  }

  private sum(shares: ReadonlyMap<string, number>): number {
    return [...shares.values()].reduce((sum, share) => sum + share, 0);
  }
}

/** From the moment in which nothing of a shard starts any more until its next owner may start. Milliseconds. */
function pausesOf(events: readonly ChaosEvent[]): number[] {
  const since = new Map<number, number>();
  const pauses: number[] = [];
  for (const event of events) {
    if (event.type === 'releasing') since.set(event.shard, event.mono);
    else if (event.type === 'lost') since.delete(event.shard);
    else if (event.type === 'owned' && since.has(event.shard)) {
      pauses.push(event.mono - since.get(event.shard)!);
      since.delete(event.shard);
    }
  }
  return pauses;
}

export async function figures(
  node: RabbitMqNode,
  folder: string,
  sizes: Sizes,
  say: (line: string) => void,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const recorder = new Recorder(folder, 'nemesis');
  const plan = { ...sizes, folder, prefix: 'figures_', prefetch: PREFETCH, claimInterval: CLAIM_INTERVAL, work: WORK };
  const crew = await Crew.open(node, plan, PROCESSES, recorder);
  const view = new LiveView(folder);
  try {
    const measurement = new Measurement(crew, view, sizes.shards, say);
    await measurement.measure();
    const pauses = pausesOf(readHistory(folder).filter(({ mono }) => mono > measurement.since));
    const { shards, keys, rate, heartbeat, quorum } = sizes;
    say(
      [
        `${PROCESSES} processes, ${shards} ${quorum ? 'quorum' : 'classic'} shards, ${keys} keys, ${rate} messages/s, ` +
          `handlers of ${WORK} ms, heartbeat ${heartbeat} s, claims every ${CLAIM_INTERVAL} ms`,
        `all shards served after SIGKILL of one   ${textOf(measurement.kills)}`,
        `shares level after a join                ${textOf(measurement.joins)}`,
        `all shards served after SIGSTOP of one   ${textOf(measurement.stops)}`,
        `pause of a shard that is handed over     ${textOf(pauses)}`,
      ].join('\n'),
    );
    await crew.leave();
  } finally {
    view.close();
    await crew.close();
    recorder.close();
  }
}

function textOf(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string =>
    `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN)} ms`;
  return `median ${at(0.5)}, p99 ${at(0.99)}, from ${at(0)} to ${at(1)} (${sorted.length})`;
}
