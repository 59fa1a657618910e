import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../../clock/clock.interface.js';
import type { ResolvedOptions } from '../../mississippi.options.js';
import type { EventSource } from './event-source.js';
import type { Round } from './round.js';

/** What every part of an instance shares. */
export interface Environment {
  readonly options: ResolvedOptions;
  readonly logger: LoggerService;
  readonly clock: Clock;
  readonly round: Round;
  /** From 0 to below 1, for the jitter of backoffs. */
  readonly random: () => number;
  readonly events: EventSource;
}
