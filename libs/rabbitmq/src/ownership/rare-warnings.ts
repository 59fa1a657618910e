import type { LoggerService } from '@nestjs/common';
import type { Clock } from '@mississippi/core/transport';

/** How often one thing is told. Milliseconds. */
const INTERVAL = 10_000;

/** Warnings about what may go on for long: each is told at once, then now and then with how often it was kept back. */
export class RareWarnings {
  private readonly told = new Map<string, { at: number; keptBack: number }>();

  constructor(
    private readonly logger: LoggerService,
    private readonly clock: Clock,
  ) {}

  /** @param about what it is told about, once in ten seconds at most */
  warn(about: string, text: string): void {
    const now = this.clock.now();
    const last = this.told.get(about);
    if (last !== undefined && now - last.at < INTERVAL) {
      last.keptBack++;
      return;
    }
    this.told.set(about, { at: now, keptBack: 0 });
    const more = last?.keptBack ?? 0;
    this.logger.warn(more === 0 ? text : `${text} (and ${more} more since it was last told)`);
  }
}
