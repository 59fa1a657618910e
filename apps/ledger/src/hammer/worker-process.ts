import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Places } from '../app/backends.js';
import type { Served } from './ledger.client.js';

/** How much of what it says is kept, for when it fails. Characters. */
const MOST_WORDS = 10_000;

const SCRIPT = fileURLToPath(new URL('../worker.js', import.meta.url));

/** The process that serves, killed and started again. */
export class WorkerProcess implements Served {
  private child: ChildProcess | undefined;
  private ready: Promise<string> | undefined;
  private stderr = '';

  /** @param script what it runs, where it is not the app as it is */
  constructor(
    private readonly places: Places,
    private readonly script = SCRIPT,
  ) {}

  /** Starts it. Resolves with its url; rejects with its own words when it does not come up. */
  start(): Promise<string> {
    const env = { ...process.env, LEDGER_PLACES: JSON.stringify(this.places) };
    const child = fork(this.script, { env, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.child = child;
    this.stderr = '';
    child.stderr?.on('data', (data: Buffer) => (this.stderr = `${this.stderr}${data.toString()}`.slice(-MOST_WORDS)));
    const up = once(child, 'message').then(([message]) => (message as { url: string }).url);
    const ended = once(child, 'close').then(([code, signal]) => {
      throw new Error(`The worker ended (${code ?? signal}): ${this.stderr.trim() || 'it said nothing.'}`);
    });
    ended.catch(() => undefined);
    this.ready = Promise.race([up, ended]);
    this.ready.catch(() => undefined);
    return this.ready;
  }

  /** Where it is, once it is up. */
  async url(): Promise<string> {
    const { child } = this;
    if (typeof child?.exitCode === 'number')
      throw new Error(`The worker ended (${child.exitCode}): ${this.stderr.trim()}`);
    return this.ready!;
  }

  /** As `kill -9` does: it learns nothing of it. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** In good order. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }
}
