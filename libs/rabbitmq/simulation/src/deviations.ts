import type { Order, Report } from '../../src/coordination/reports.js';

/** What a mutant does otherwise. */
export interface Deviations {
  /** The broker refuses no second consumer. */
  readonly isLenient?: boolean;
  /** A shard is free before its last handler has ended. */
  readonly freesBeforeItsHandlersEnd?: boolean;
  /** Those that a process has had longest are handed over first. */
  readonly shedsOldest?: boolean;
  /** How many consumers a shard has, as whoever looks is told. */
  readonly consumers?: (count: number) => number;
  /** How many members there are, as the coordinator is told. */
  readonly counted?: (count: number) => number;
  /** What a process reads instead of the order that it got. */
  readonly order?: (order: Order) => Order;
  /** What a process reports instead of what is so. */
  readonly report?: (report: Report) => Report;
  /** An order reaches others too. */
  readonly everybodyObeys?: boolean;
}
