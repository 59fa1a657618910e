import { cpuOf, type Measurement, rateOf } from './measurement.js';

/** A figure of a run and how it is shown. */
export interface Column {
  readonly title: string;
  readonly digits: number;
  readonly of: (measurement: Measurement) => number | undefined;
}

/** One side of a comparison. `Broker` is what the comparisons on RabbitMQ share. */
export interface Contender<Context> {
  readonly name: string;
  measure(context: Context): Promise<Measurement>;
}

/** Contenders that do the same work, one run after the other, in turns. */
export interface Comparison<Context = unknown> {
  /** For `--only`, and in the file of results. */
  readonly name: string;
  readonly title: string;
  /** One sentence for the docs. */
  readonly about: string;
  /** The contender that the others are divided by. */
  readonly reference: string;
  /** The first is compared; it is shown with its spread. */
  readonly columns: readonly [Column, ...Column[]];
  readonly contenders: readonly Contender<Context>[];
}

export const RATE: Column = { title: 'messages/s', digits: 0, of: rateOf };
export const CPU: Column = { title: 'CPU µs/message', digits: 2, of: cpuOf };

export function figure(name: string, title: string, digits: number): Column {
  return { title, digits, of: ({ figures }) => figures?.[name] };
}

/** What the runs of a comparison gave, the uncounted round left out. */
export interface Result {
  readonly name: string;
  readonly date: string;
  /** Processes that wanted a core when it began (mean of a minute), ours not among them. */
  readonly load: number;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly contender: string;
  readonly runs: readonly Measurement[];
}
