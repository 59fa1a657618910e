import type { Deviations } from '../deviations.js';
import { Simulation, UnrestError, type SimulationOptions } from '../simulation.js';
import type { Traits } from '../process/place.js';

/** What is promised. */
export const PROMISES = {
  owner: 'a shard has one owner at most, and none before the last handler of the former one has ended',
  served: 'every shard is served in the end',
  level: 'each process owns its share in the end, rounded down or up',
  join: 'a join moves no more shards than it must, and a tenth',
  refused: 'at most one claim of ten is refused',
  restart: 'a rolling restart moves a shard twice at most',
  death: 'what a dead process owned is served again within 1.5 s',
  still: 'at rest no shard moves',
  alone: 'without a coordinator all processes together look at 200 shards a second',
  rest: 'at rest what is asked of the broker grows no faster than processes and shards do',
} as const;

export type Promised = keyof typeof PROMISES;

/** What was found, and the most that it may be. */
export interface Check {
  readonly promised: Promised;
  readonly found: number;
  readonly limit: number;
  /** What was wrong, where something was. */
  readonly detail: string;
}

export interface Size {
  readonly processes: number;
  readonly shards: number;
  readonly seed: number;
  readonly quorum?: boolean;
  readonly deviations?: Deviations;
  /** How long it may take until all is level. Default a minute. Milliseconds. */
  readonly patience?: number;
}

/** Something that happens to many processes. Resolves with what was found. */
export type Scenario = (size: Size) => Promise<Check[]>;

/** How long processes take to start, all together. Milliseconds. */
const STARTING = 500;
/** Milliseconds. */
const PATIENCE = 60_000;

/** A simulation, and what is found in it. */
export class Trial {
  readonly checks: Check[] = [];
  readonly simulation: Simulation;

  constructor(
    readonly size: Size,
    options: Partial<SimulationOptions> = {},
  ) {
    this.simulation = new Simulation({ ...size, ...options });
  }

  /** All have started, are level, and some time has passed. */
  static async risen(size: Size, traits: Partial<Traits> = {}): Promise<Trial> {
    const trial = new Trial(size);
    await trial.rise(traits);
    return trial;
  }

  async rise(traits: Partial<Traits> = {}): Promise<void> {
    const { simulation, size } = this;
    simulation.startMany(size.processes, STARTING, traits);
    await simulation.advance(STARTING + 1);
    await this.settle();
    await simulation.advance(5_000);
    simulation.auditor.reset();
    simulation.broker.operations.clear();
  }

  /** @param detail what was wrong, where something was */
  atMost(promised: Promised, limit: number, found: number, detail = ''): void {
    this.checks.push({ promised, limit, found, detail });
  }

  /**
   * Waits until all is served and level, and checks what always holds.
   * @param more how much longer than elsewhere it may take. Milliseconds
   */
  async settle(more = 0): Promise<void> {
    const { simulation } = this;
    let unrest = '';
    await simulation.untilRest((this.size.patience ?? PATIENCE) + more).catch((error: unknown) => {
      if (!(error instanceof UnrestError)) throw error;
      unrest = error.message;
    });
    const { unserved, auditor } = simulation;
    this.atMost('served', 0, unserved.length, unrest);
    this.atMost('level', 0, unserved.length === 0 ? simulation.unrest.length : 0, unrest);
    const [violation = ''] = auditor.violations;
    this.atMost('owner', 0, auditor.violations.length, violation);
  }

  /** One has joined: its share has moved, and a tenth more at most. */
  checkJoin(): void {
    const { processes, shards } = this.size;
    const share = shards / (processes + 1);
    this.atMost('join', Math.max(Math.ceil(share), 1.1 * share), this.simulation.auditor.moves.length);
  }

  /** Of the claims since the counts were set back. */
  checkRefusals(): void {
    const { granted, refusals } = this.simulation.auditor;
    this.atMost(
      'refused',
      0.1 * (granted + refusals),
      refusals,
      `${refusals} of ${granted + refusals} claims were refused`,
    );
  }
}
