import type { Clock } from '../../clock/clock.interface.js';
import { describe } from '../../errors/describe.js';
import type { MississippiEvent } from '../../interfaces/events.interface.js';
import { LogLimit } from '../../log-limit.js';
import type {
  CommitGroup,
  InstanceTelemetry,
  ObservedInstance,
  Operation,
  OperationEnd,
  Telemetry,
  Trace,
  TraceHeaders,
} from '../../telemetry/telemetry.interface.js';
import type { Log } from './log.js';

/** The telemetry of one instance, as its parts call it: what the plugin throws holds nobody up. */
export class EngineTelemetry {
  private attached: InstanceTelemetry | undefined;
  private readonly limit: LogLimit;

  constructor(
    private readonly plugin: Telemetry,
    private readonly log: Log,
    clock: Clock,
  ) {
    this.limit = new LogLimit(clock);
  }

  get traces(): boolean {
    return this.plugin.traces;
  }

  /** Whether anything is recorded. What asks before it calls spares what it would say. */
  get active(): boolean {
    return this.attached?.active === true;
  }

  attach(instance: ObservedInstance): void {
    this.attached = this.guarded(() => this.plugin.attach(instance));
  }

  detach(): void {
    const { attached } = this;
    this.attached = undefined;
    this.guarded(() => attached?.detach());
  }

  begin(operation: Operation): Trace | undefined {
    return this.guarded(() => this.attached?.begin(operation));
  }

  end(trace: Trace, end: OperationEnd): void {
    this.guarded(() => trace.end(end));
  }

  happened(type: MississippiEvent['type'], reason?: string): void {
    if (!this.active) return; // Somebody else listens.
    this.guarded(() => this.attached?.happened(type, reason));
  }

  committed(group: CommitGroup): void {
    this.guarded(() => this.attached?.committed(group));
  }

  /**
   * Does something that takes time.
   * @param work gets what is to travel with it
   */
  async around<Result>(
    operation: Operation,
    work: (headers: TraceHeaders | undefined) => Promise<Result>,
  ): Promise<Result> {
    const trace = this.begin(operation);
    if (trace === undefined) return work(undefined);
    try {
      const result = await trace.run(() => work(trace.headers));
      this.end(trace, {});
      return result;
    } catch (error) {
      this.end(trace, { error });
      throw error;
    }
  }

  private guarded<Result>(call: () => Result): Result | undefined {
    try {
      return call();
    } catch (error) {
      this.limit.tell((more, untold) =>
        this.log.error(
          `The telemetry (${this.plugin.name}) threw, and what it was about goes on without it: ${describe(error)}${more}`,
          { event: 'telemetryFailed', untold },
          error,
        ),
      );
      return undefined;
    }
  }
}
