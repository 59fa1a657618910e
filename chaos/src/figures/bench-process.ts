import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, Ask, BenchPlan, CallName, Response } from './bench-protocol.js';

const SCRIPT = fileURLToPath(new URL('./bench.js', import.meta.url));

/** A process that is measured, as whoever measures sees it. One call at a time. */
export class BenchProcess {
  private constructor(private readonly child: ChildProcess) {}

  /** Resolves when the process is up. */
  static async start(plan: BenchPlan): Promise<BenchProcess> {
    const child = fork(SCRIPT, [JSON.stringify(plan)]);
    const bench = new BenchProcess(child);
    await bench.response('was up');
    return bench;
  }

  async ask<Name extends CallName>(call: Name, ask: Ask<Name>): Promise<Answer<Name>> {
    const response = this.response(`answered ${call}`);
    this.child.send({ call, ask });
    const { answer, error } = await response;
    if (error !== undefined) throw new Error(error);
    return answer as Answer<Name>;
  }

  /** Leaves in good order. */
  async leave(): Promise<void> {
    if (!this.runs) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  kill(): void {
    if (this.runs) this.child.kill('SIGKILL');
  }

  private get runs(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  private response(what: string): Promise<Response> {
    return new Promise((resolve, reject) => {
      const failed = (): void => reject(new Error(`a process ended before it ${what}`));
      this.child.once('exit', failed);
      this.child.once('message', (response: Response) => {
        this.child.off('exit', failed);
        resolve(response);
      });
    });
  }
}
