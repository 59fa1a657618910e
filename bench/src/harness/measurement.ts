/** What one run of one contender gave. */
export interface Measurement {
  readonly messages: number;
  readonly milliseconds: number;
  /** Of the process that is measured, user and system. Microseconds. */
  readonly cpu: number;
  /** Whatever else the comparison looks at. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** Measures from its making to {@link stop}. */
export class Stopwatch {
  private readonly from = process.hrtime.bigint();
  private readonly cpuFrom = process.cpuUsage();

  stop(messages: number, figures?: Readonly<Record<string, number>>): Measurement {
    const milliseconds = Number(process.hrtime.bigint() - this.from) / 1e6;
    const { user, system } = process.cpuUsage(this.cpuFrom);
    return { messages, milliseconds, cpu: user + system, ...(figures === undefined ? {} : { figures }) };
  }
}

export const rateOf = ({ messages, milliseconds }: Measurement): number => (messages / milliseconds) * 1_000;
export const cpuOf = ({ messages, cpu }: Measurement): number => cpu / messages;

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** The value below which the given share of all lies; `NaN` where there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
