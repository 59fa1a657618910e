import { familyCpu } from '../harness/cpu-clock.js';

/** Processes that have a part in the work, each with its children. */
export interface Parties {
  /** RabbitMQ, or Redis. */
  readonly broker?: number;
  /** PostgreSQL. */
  readonly database: number;
}

/** Measures what the others spend, from its making to {@link stop}. */
export class PartyClock {
  private readonly from = times(this.parties);

  constructor(private readonly parties: Parties) {}

  /** Microseconds by party, those left out that the system does not tell of. */
  stop(): Record<string, number> {
    const to = times(this.parties);
    return Object.fromEntries(
      Object.entries(to).flatMap(([party, time]) => {
        const from = this.from[party];
        return time === undefined || from === undefined ? [] : [[party, time - from]];
      }),
    );
  }
}

function times(parties: Parties): Record<string, number | undefined> {
  return Object.fromEntries(Object.entries(parties).map(([party, pid]) => [party, familyCpu(pid as number)]));
}
