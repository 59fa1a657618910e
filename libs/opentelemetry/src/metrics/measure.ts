import type { OperationEnd } from '@mississippi/core/telemetry';
import type { Attributes, Histogram } from '@opentelemetry/api';
import { typeOf } from '../error-type.js';
import { ERROR_TYPE } from '../semantic-conventions.js';
import type { Tally } from './tally.js';

/** Milliseconds in a second. */
const SECOND = 1_000;

/** What operations of one name have in common. */
export interface Measured {
  readonly name: string;
  readonly attributes: Attributes;
  readonly durations: Histogram;
  /** Counts those that have ended. */
  readonly ended: Tally | undefined;
}

/** How long an operation takes, and whether it fails. */
export class Measure {
  private readonly begun = performance.now();

  constructor(private readonly measured: Measured) {}

  end({ error }: OperationEnd): void {
    const { name, attributes, durations, ended } = this.measured;
    const seconds = (performance.now() - this.begun) / SECOND;
    if (error === undefined) {
      durations.record(seconds, attributes);
      ended?.add(1, name, () => attributes);
      return;
    }
    const type = typeOf(error);
    const failed = { ...attributes, [ERROR_TYPE]: type };
    durations.record(seconds, failed);
    ended?.add(1, `${name}\n${type}`, () => failed);
  }
}
