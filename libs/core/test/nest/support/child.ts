import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));

/** Builds what the fixtures run on; nothing happens where it is up to date. */
export async function build(): Promise<void> {
  await promisify(execFile)(`${ROOT}node_modules/.bin/tsc`, ['-b', 'libs/core'], { cwd: ROOT });
}

/** A fixture in a process of its own. It ends with the test at the latest. */
export class Child {
  readonly lines: string[] = [];
  private readonly process: ChildProcess;
  private readonly ended: Promise<[number | null, NodeJS.Signals | null]>;
  private waiting: { text: string; resolve: () => void } | undefined;

  constructor(fixture: string, ...args: string[]) {
    this.process = fork(`${FIXTURES}${fixture}`, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.ended = once(this.process, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    for (const stream of [this.process.stdout!, this.process.stderr!]) {
      createInterface(stream).on('line', (line) => {
        this.lines.push(line);
        if (this.waiting !== undefined && line.includes(this.waiting.text)) this.waiting.resolve();
      });
    }
  }

  /** Resolves when a line with this text was printed; rejects when the process ended before. */
  async line(text: string): Promise<void> {
    if (this.lines.some((line) => line.includes(text))) return;
    const printed = new Promise<void>((resolve) => {
      this.waiting = { text, resolve };
    });
    const ended = this.ended.then(([code, signal]) => {
      throw new Error(`'${text}' was not printed before the end (${code ?? signal}):\n${this.lines.join('\n')}`);
    });
    await Promise.race([printed, ended]);
  }

  /** Goes on where the fixture waits. */
  go(): void {
    this.process.send('go');
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Exit code and signal, once the process has ended and everything that it printed is here. */
  end(): Promise<[number | null, NodeJS.Signals | null]> {
    return this.ended;
  }
}
