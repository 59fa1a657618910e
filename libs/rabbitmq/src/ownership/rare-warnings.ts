import type { LoggerService } from '@nestjs/common';
import { LogLimit, type Clock } from '@mississippi/core/transport';

/** Warnings about what may go on for long: each is told at once, then now and then with how often it was kept back. */
export class RareWarnings {
  private readonly limits = new Map<string, LogLimit>();

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
}
