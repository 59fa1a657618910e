import type {
  CommitGroup,
  InstanceTelemetry,
  MississippiEvent,
  ObservedInstance,
  Operation,
  Timer,
  Trace,
} from '@mississippi/core/telemetry';
import { Meters } from './metrics/meters.js';
import type { OpenTelemetryOptions } from './open-telemetry.options.js';
import { findMeter, findTracer } from './providers.js';
import { Running } from './running.js';
import { SpanStarter } from './spans/span-starter.js';

/** How soon to look again whether an SDK was registered. Milliseconds. */
const LOOK_AGAIN = 1_000;

/** The telemetry of one instance. */
export class OpenTelemetryInstance implements InstanceTelemetry {
  private spans: SpanStarter | undefined;
  private meters: Meters | undefined;
  private looking: Timer | undefined;

  constructor(
    private readonly instance: ObservedInstance,
    private readonly options: OpenTelemetryOptions,
  ) {
    this.look();
  }

  get active(): boolean {
    return this.spans !== undefined || this.meters !== undefined;
  }

  begin(operation: Operation): Trace {
    return new Running(this.spans?.start(operation), this.meters?.measure(operation));
  }

  happened(type: MississippiEvent['type'], reason?: string): void {
    this.meters?.happened(type, reason);
  }

  committed(group: CommitGroup): void {
    this.meters?.committed(group);
  }

  detach(): void {
    this.looking?.cancel();
    this.meters?.stop();
    this.meters = undefined;
    this.spans = undefined;
  }

  /** An app may register its SDK after it has started, though it would miss less if it did so before. */
  private look(): void {
    const { instance, options } = this;
    if (this.spans === undefined) {
      const tracer = findTracer(options);
      if (tracer !== undefined) this.spans = new SpanStarter(tracer, instance, options.linkOnly === true);
    }
    if (this.meters === undefined) {
      const meter = findMeter(options);
      if (meter !== undefined) this.meters = new Meters(meter, instance);
    }
    const missing = (options.traces !== false && !this.spans) || (options.metrics !== false && !this.meters);
    if (missing) this.looking = instance.clock.after(LOOK_AGAIN, () => this.look(), true);
  }
}
