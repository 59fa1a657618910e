import type { OperationEnd, Trace, TraceHeaders } from '@mississippi/core/telemetry';
import { context, type Context } from '@opentelemetry/api';
import type { Measure } from './metrics/measure.js';
import type { Started } from './spans/started.js';

/** An operation that is under way: its span, where spans are made, and what is measured of it, where metrics are. */
export class Running implements Trace {
  constructor(
    private readonly started: Started | undefined,
    private readonly measure: Measure | undefined,
  ) {}

  get headers(): TraceHeaders | undefined {
    return this.started?.headers;
  }

  /** What its callback and whatever follows that have as their context. */
  get context(): Context | undefined {
    return this.started?.context;
  }

  run<Result>(work: () => Result): Result {
    return this.started === undefined ? work() : context.with(this.started.context, work);
  }

  end(end: OperationEnd): void {
    this.measure?.end(end);
    this.started?.end(end);
  }
}
