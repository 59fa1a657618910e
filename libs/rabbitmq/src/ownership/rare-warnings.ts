import type { LoggerService } from '@nestjs/common';
import { LogLimit, type Clock } from '@mississippi/core/transport';

/** How many shards are told of the same kind of trouble in a row, and for how long no more are. Milliseconds. */
const MOST_SHARDS = 10;
const INTERVAL = 10_000;

/** The shards that were told of one kind of trouble. */
interface Round {
  readonly beganAt: number;
  readonly shards: Set<number>;
}

/** Warnings about what may go on for long: each is told at once, then now and then with how often it was kept back. */
export class RareWarnings {
  private readonly limits = new Map<string, LogLimit>();
  private readonly rounds = new Map<string, Round>();

  constructor(
    private readonly logger: LoggerService,
    private readonly clock: Clock,
  ) {}

  /** @param about what it is told about, once in ten seconds at most */
  warn(about: string, text: string): void {
    let limit = this.limits.get(about);
    if (limit === undefined) this.limits.set(about, (limit = new LogLimit(this.clock)));
    limit.tell((_more, untold) => {
      this.logger.warn(untold === undefined ? text : `${text} (and ${untold} more since it was last told)`);
    });
  }

  /**
   * Warns about one shard as {@link warn} does. What befalls one may befall all, so ten shards are named in ten seconds, and it is
   * said that there may be more.
   * @param kind what befalls it
   */
  warnOf(kind: string, shard: number, text: string): void {
    const now = this.clock.now();
    let round = this.rounds.get(kind);
    if (round === undefined || now - round.beganAt >= INTERVAL) {
      this.rounds.set(kind, (round = { beganAt: now, shards: new Set() }));
    }
    const { shards } = round;
    if (!shards.has(shard) && shards.size === MOST_SHARDS) return;
    const isLast = !shards.has(shard) && shards.add(shard).size === MOST_SHARDS;
    const more = isLast ? ' (more shards may follow, which are not told for ten seconds)' : '';
    this.warn(`${kind} ${shard}`, `${text}${more}`);
  }
}
