import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileRecorder } from '@mississippi/history';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { Crew } from '../crew.js';
import { LiveView } from '../live-view.js';
import type { Place } from '../place.js';
import type { RunOptions } from '../run.js';

export const PROCESSES = 4;

/** Milliseconds that each attempt takes. */
export const WORK = 5;

/** The library's defaults, which are what is measured. */
export const PREFETCH = 300;
export const CLAIM_INTERVAL = 500;

const LOOK = 20;
const PATIENCE = 120_000;

/** Longer than a round of claims, so that what is measured begins at rest. Milliseconds. */
const REST = 2_000;

export type Sizes = Pick<RunOptions, 'shards' | 'keys' | 'publishers' | 'rate' | 'heartbeat' | 'seed' | 'quorum'>;

/** Processes under load that move shards, for whoever measures how fast. */
export class Stage {
  private constructor(
    readonly folder: string,
    private readonly crew: Crew,
    private readonly view: LiveView,
    private readonly recorder: FileRecorder,
    private readonly shards: number,
    readonly say: (line: string) => void,
  ) {}

  /** Opens when every process has its share. */
  static async open(node: RabbitMqNode, folder: string, sizes: Sizes, say: (line: string) => void): Promise<Stage> {
    mkdirSync(folder, { recursive: true });
    const recorder = new FileRecorder(folder, 'nemesis');
    const plan = { ...sizes, folder, prefix: 'moves_', prefetch: PREFETCH, claimInterval: CLAIM_INTERVAL, work: WORK };
    const crew = await Crew.open(node, plan, PROCESSES, recorder);
    const stage = new Stage(folder, crew, new LiveView(folder), recorder, sizes.shards, say);
    try {
      await crew.start();
      await stage.level();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** One worker after the other, round by round. */
  worker(round: number): Place {
    return this.crew.workers[round % PROCESSES]!;
  }

  async rest(): Promise<void> {
    await sleep(REST);
  }

  /** Waits until the others own every shard. Returns when the last one was taken. */
  served(victim: Place): Promise<number> {
    return this.until('every shard has another owner', (shares) => {
      const own = shares.get(victim.current) ?? 0;
      return own === 0 && this.sum(shares) === this.shards;
    });
  }

  /** Waits until no process owns two shards more than another. Returns when the last one was taken. */
  level(): Promise<number> {
    const names = this.crew.workers.map(({ current }) => current);
    return this.until('shares are level', (shares) => {
      const counts = names.map((name) => shares.get(name) ?? 0);
      return this.sum(shares) === this.shards && Math.max(...counts) - Math.min(...counts) <= 1;
    });
  }

  async close(): Promise<void> {
    this.view.close();
    await this.crew.close();
    this.recorder.close();
  }

  private async until(what: string, holds: (shares: ReadonlyMap<string, number>) => boolean): Promise<number> {
    const end = performance.now() + PATIENCE;
    for (;;) {
      this.view.refresh();
      if (holds(this.view.service.shares())) return this.view.service.ownedAt;
      if (performance.now() > end) throw new Error(`waited ${PATIENCE} ms in vain until ${what}`);
      await sleep(LOOK);
    }
  }

  private sum(shares: ReadonlyMap<string, number>): number {
    return [...shares.values()].reduce((sum, share) => sum + share, 0);
  }
}
