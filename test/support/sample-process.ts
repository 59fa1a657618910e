import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How a process ended: by its own status, or by a signal. */
export type End = number | NodeJS.Signals;

/** A built sample as people start it, in a process of its own. */
export class SampleProcess {
  private static readonly running = new Set<SampleProcess>();
  private stdout = '';
  private stderr = '';
  /** Resolves when it has ended and everything that it wrote was read. */
  readonly ended: Promise<End>;
  private readonly child: ChildProcessWithoutNullStreams;

  constructor(
    sample: 'flights' | 'ledger' | 'orders' | 'webhooks' | 'devices',
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ) {
    const main = fileURLToPath(new URL(`../../apps/${sample}/dist/main.js`, import.meta.url));
    // The options of the tests' own Node are not for it.
    this.child = spawn(process.execPath, [main, ...args], { env: { ...process.env, NODE_OPTIONS: '', ...env } });
    this.child.stdout.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.child.stderr.on('data', (data: Buffer) => (this.stderr += data.toString()));
    SampleProcess.running.add(this);
    this.ended = once(this.child, 'close').then(([code, signal]: unknown[]) => {
      SampleProcess.running.delete(this);
      return (code ?? signal) as End;
    });
  }

  /** Ends those that a failed test left. */
  static async endAll(): Promise<void> {
    await Promise.all([...this.running].map(async (one) => one.kill('SIGKILL')));
  }

  get output(): string {
    return this.stdout;
  }

  get errors(): string {
    return this.stderr;
  }

  get lastLine(): string | undefined {
    return this.stdout.trimEnd().split('\n').at(-1);
  }

  /** Resolves when something was printed; rejects when it ends without. */
  async printed(pattern: RegExp): Promise<void> {
    const ended = this.ended.then((end) => {
      throw new Error(`It ended with ${end} and had not printed ${pattern}:\n${this.stdout}${this.stderr}`);
    });
    while (!pattern.test(this.stdout)) await Promise.race([once(this.child.stdout, 'data'), ended]);
    // If it ends from now on, that is as it should be.
    ended.catch(() => undefined);
  }

  async kill(signal: NodeJS.Signals): Promise<End> {
    this.child.kill(signal);
    return this.ended;
  }
}
