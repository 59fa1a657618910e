import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../libs/cli/dist/main.js', import.meta.url));

/** How a command line ended, and what it printed. */
export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** The built program in a process of its own, as an engineer starts it, with nothing but the environment that is given. */
export class CliProcess {
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcessWithoutNullStreams;
  private out = '';
  private err = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    const { PATH = '' } = process.env;
    this.child = spawn(process.execPath, [MAIN, ...args], { cwd: tmpdir(), env: { PATH, ...env } });
    this.child.stdin.end();
    this.child.stdout.on('data', (data: Buffer) => (this.out += data.toString()));
    this.child.stderr.on('data', (data: Buffer) => (this.err += data.toString()));
    this.ended = once(this.child, 'close').then(([status]: unknown[]) => ({
      status: status as number | null,
      out: this.out,
      err: this.err,
    }));
  }

  /** As Ctrl-C does. */
  interrupt(): void {
    this.child.kill('SIGINT');
  }
}

/** Runs a command line to its end. */
export function cli(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  return new CliProcess(args, env).ended;
}
