import { type ChildProcess, fork } from 'node:child_process';
import type { RabbitMqOptions } from '@mississippi/rabbitmq';

const SCRIPT = new URL('traced/traced.mjs', import.meta.url).pathname;

/** A span that has ended, as its process tells it. */
export interface PlainSpan {
  readonly name: string;
  readonly kind: string;
  /** Whose it is: the name of the instrumentation. */
  readonly scope: string;
  readonly id: string;
  readonly trace: string;
  readonly parent?: string;
  readonly links: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Told {
  readonly url?: string;
  readonly shards?: readonly number[];
  readonly handled?: object;
  readonly spans?: readonly PlainSpan[];
}

/** An app with the built packages, an SDK, and OpenTelemetry's instrumentations of HTTP and of amqplib. */
export class TracedProcess {
  private static readonly running = new Set<TracedProcess>();
  url = '';
  private readonly child: ChildProcess;
  private output = '';

  private constructor(rabbit: RabbitMqOptions, telemetry: boolean) {
    const config = JSON.stringify({ rabbit, telemetry });
    this.child = fork(SCRIPT, [config], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (data) => (this.output += String(data)));
    }
    TracedProcess.running.add(this);
    this.child.once('exit', () => TracedProcess.running.delete(this));
  }

  /** @param telemetry whether the library traces itself */
  static async start(rabbit: RabbitMqOptions, telemetry = true): Promise<TracedProcess> {
    const started = new TracedProcess(rabbit, telemetry);
    started.url = (await started.told(({ url }) => url !== undefined)).url!;
    return started;
  }

  /** Ends those that a failed test left. */
  static endAll(): void {
    for (const { child } of this.running) child.kill('SIGKILL');
  }

  /** The shards that it owns. */
  async shards(): Promise<readonly number[]> {
    const told = this.told(({ shards }) => shards !== undefined);
    this.child.send('shards');
    return (await told).shards!;
  }

  /** Resolves when it has handled so many more messages. */
  async handled(count: number): Promise<void> {
    for (let left = count; left > 0; left--) await this.told(({ handled }) => handled !== undefined);
  }

  /** Ends it. Resolves with its spans. */
  async stop(): Promise<readonly PlainSpan[]> {
    const told = this.told(({ spans }) => spans !== undefined);
    this.child.send('stop');
    return (await told).spans!;
  }

  private told(is: (told: Told) => boolean): Promise<Told> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => {
        child.off('message', listen);
        reject(new Error(`the traced app ended with ${code}:\n${this.output}`));
      };
      const listen = (told: Told): void => {
        if (!is(told)) return;
        child.off('message', listen);
        child.off('exit', ended);
        resolve(told);
      };
      child.on('message', listen);
      child.once('exit', ended);
    });
  }
}

/** Spans of several processes as trees, one line each; what is inside stands further in. */
export function treesOf(spans: readonly PlainSpan[], parent?: string, indent = ''): string[] {
  const known = new Set(spans.map(({ id }) => id));
  return spans
    .filter((span) => (parent === undefined ? !known.has(span.parent ?? '') : span.parent === parent))
    .flatMap((span) => [`${indent}${span.name} (${span.kind})`, ...treesOf(spans, span.id, `${indent}  `)]);
}
