import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { outputOf } from '#support/rabbitmq-node.js';
import { setNice } from './priority.js';
import type { Command, Strike, Told, WorkerPlan } from './protocol.js';

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
   * @param nice of the process once it is loaded
   */
  static async load(
    name: string,
    plan: WorkerPlan,
    nice: number | undefined,
    told: (told: Told) => void,
  ): Promise<WorkerProcess> {
    const child = fork(SCRIPT, [JSON.stringify(plan)], {
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true, // A session of its own: Linux shares the cores among sessions first, and all of ours would be one.
    });
    const worker = new WorkerProcess(name, child);
    child.on('message', told);
    await worker.hears('loaded');
    if (nice !== undefined) setNice(worker.pid, nice);
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
    this.child.send('start' satisfies Command);
    await up;
  }

  /** Lets it strike another process. Returns when it did. */
  async strike(strike: Strike): Promise<number> {
    const struck = this.hears('struck');
    this.child.send(strike satisfies Command);
    return (await struck).at;
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

  private hears<Type extends Told['type']>(type: Type): Promise<Extract<Told, { type: Type }>> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(this.failure(`to say '${type}'`));
      const heard = (told: Told): void => {
        if (told.type !== type) return;
        this.child.off('message', heard);
        this.child.off('exit', ended);
        resolve(told as Extract<Told, { type: Type }>);
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
