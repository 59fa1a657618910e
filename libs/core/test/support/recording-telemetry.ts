import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  CommitGroup,
  InstanceTelemetry,
  MississippiEvent,
  ObservedInstance,
  Operation,
  OperationEnd,
  Telemetry,
  Trace,
  TraceHeaders,
} from '../../src/telemetry/index.js';

/** An operation that was recorded. */
export interface Recorded {
  readonly operation: Operation;
  /** Which of them it is, such as `publish 1`. */
  readonly name: string;
  /** The one in whose context it began, or that it was said to follow. */
  readonly within: string | undefined;
  end: OperationEnd | undefined;
}

/** Records what the core tells, and knows in which operation code runs. */
export class RecordingTelemetry implements Telemetry, InstanceTelemetry {
  readonly name = 'recording';
  readonly traces = true;
  active = true;
  instance: ObservedInstance | undefined;
  detached = false;
  readonly operations: Recorded[] = [];
  readonly events: string[] = [];
  readonly commits: CommitGroup[] = [];
  private readonly present = new AsyncLocalStorage<string>();
  private readonly names = new Map<Trace, string>();

  attach(instance: ObservedInstance): InstanceTelemetry {
    this.instance = instance;
    return this;
  }

  begin(operation: Operation): Trace | undefined {
    const parent = operation.kind === 'signal' ? undefined : operation.parent;
    const within = parent === undefined ? this.within : this.names.get(parent);
    const word = operation.kind === 'callback' ? operation.callback : operation.kind;
    const name = `${word} ${this.operations.filter((one) => one.name.startsWith(`${word} `)).length + 1}`;
    const recorded: Recorded = { operation, name, within, end: undefined };
    this.operations.push(recorded);
    const trace = this.traceOf(recorded);
    this.names.set(trace, name);
    return trace;
  }

  happened(type: MississippiEvent['type'], reason?: string): void {
    this.events.push(reason === undefined ? type : `${type}: ${reason}`);
  }

  committed(group: CommitGroup): void {
    this.commits.push(group);
  }

  detach(): void {
    this.detached = true;
  }

  /** The operation in which the code runs that asks. */
  get within(): string | undefined {
    return this.present.getStore();
  }

  /** Each operation, what it is in and how it ended. */
  get lines(): string[] {
    return this.operations.map(({ name, within, end }) => {
      const how =
        end === undefined ? 'runs' : 'error' in end ? `failed: ${String(end.error)}` : (end.outcome ?? 'ended');
      return `${name} in ${within ?? 'nothing'}: ${how}`;
    });
  }

  private traceOf(recorded: Recorded): Trace {
    return {
      headers: headersOf(recorded),
      run: (work) => this.present.run(recorded.name, work),
      end: (end) => {
        if (recorded.end !== undefined) throw new Error(`${recorded.name} has ended twice`);
        recorded.end = end;
      },
    };
  }
}

function headersOf({ operation, name }: Recorded): TraceHeaders | undefined {
  return operation.kind === 'callback' ? undefined : { trace: name };
}
