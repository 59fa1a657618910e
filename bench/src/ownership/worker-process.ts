import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { outputOf } from '#support/rabbitmq-node.js';
import type { Told, WorkerPlan } from './protocol.js';

const SCRIPT = fileURLToPath(new URL('./worker.js', import.meta.url));

/** How much of what a process printed is shown when it fails. */
const SHOWN = 2_000;

/** A process that owns shards, as whoever measures sees it. */
export class WorkerProcess {
  private readonly output: () => string;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    this.output = outputOf(child);
  }

  /**
   * Forks a process. Resolves when its modules are loaded; it connects only after {@link start}.
   * @param told called with all that it tells
   */
  static async load(name: string, plan: WorkerPlan, told: (told: Told) => void): Promise<WorkerProcess> {
    const child = fork(SCRIPT, [JSON.stringify(plan)], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const worker = new WorkerProcess(name, child);
    child.on('message', told);
    await worker.hears('loaded');
    return worker;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get runs(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Lets it start its app. Resolves when the app has started. */
  async start(): Promise<void> {
    const up = this.hears('up');
    this.child.send('start');
    await up;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.runs) this.child.kill(signal);
  }

  /** Resolves when it has gone. */
  async gone(): Promise<void> {
    if (this.runs) await once(this.child, 'exit');
  }

  /** Ends it in good order. */
  async leave(): Promise<void> {
    this.signal('SIGTERM');
    await this.gone();
    if (this.child.exitCode !== 0) throw this.failure('to leave');
  }

  private hears(type: Told['type']): Promise<void> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(this.failure(`to say '${type}'`));
      const heard = (told: Told): void => {
        if (told.type !== type) return;
        this.child.off('message', heard);
        this.child.off('exit', ended);
        resolve();
      };
      this.child.on('message', heard);
      this.child.once('exit', ended);
    });
  }

  private failure(expected: string): Error {
    const { exitCode, signalCode } = this.child;
    return new Error(
      `${this.name} was ${expected}, and ended with ${signalCode ?? exitCode}:\n${this.output().slice(-SHOWN)}`,
    );
  }
}
