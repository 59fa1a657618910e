import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MississippiOptions } from '@mississippi/core';
import type { RabbitMqOptions } from '@mississippi/rabbitmq';
import { nowAt, type History, type HistoryEvent } from './history.js';

const SCRIPT = new URL('worker/worker.mjs', import.meta.url).pathname;
const CHUNK = 1024 * 1024;

export interface WorkerOptions {
  /** Its name in the history. */
  readonly name: string;
  readonly history: History;
  readonly rabbit: RabbitMqOptions;
  readonly options?: Omit<MississippiOptions, 'transport'>;
  /** Keys whose messages fail until it is told to heal. */
  readonly failing?: readonly string[];
  /** How long a flight takes, and how long every so-manieth. Milliseconds. Default: one round of the event loop. */
  readonly pace?: { readonly usual: number; readonly slow: number; readonly every: number };
}

/** A process of its own that consumes with the built packages. What it does is written into the history. */
export class WorkerProcess {
  private readonly folder = mkdtempSync(join(tmpdir(), 'mississippi-worker-'));
  private readonly file = join(this.folder, 'events');
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private readonly fd: number;
  private output = '';
  private rest = '';
  private offset = 0;
  private lastAt = 0;

  private constructor(private readonly settings: WorkerOptions) {
    const { name, rabbit, options = {}, failing = [], pace } = settings;
    this.fd = openSync(this.file, 'a+');
    // JSON has no Infinity.
    const config = JSON.stringify({ name, file: this.file, rabbit, options, failing, pace }, (_key, value: unknown) =>
      value === Infinity ? 'Infinity' : value,
    );
    this.child = fork(SCRIPT, [config], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (data) => (this.output += String(data)));
    }
    this.exited = new Promise((resolve) => this.child.once('exit', () => resolve()));
  }

  /** Resolves when it has started to consume. */
  static async start(settings: WorkerOptions): Promise<WorkerProcess> {
    const worker = new WorkerProcess(settings);
    await new Promise<void>((resolve, reject) => {
      worker.child.once('exit', (code) => reject(new Error(`the worker ended with ${code}:\n${worker.output}`)));
      worker.child.on('message', (message) => {
        if (message === 'ready') resolve();
        else worker.read();
      });
    });
    return worker;
  }

  /** Lets the failing keys succeed from now on. */
  heal(): void {
    this.child.send({ command: 'heal' });
  }

  resume(key: string): void {
    this.child.send({ command: 'resume', key });
  }

  /** Keeps its next flight from ending before {@link terminate}. Resolves when that flight has started. */
  async hold(): Promise<void> {
    const holding = new Promise<void>((resolve) => {
      const listen = (message: unknown): void => {
        if (message !== 'holding') return;
        this.child.off('message', listen);
        resolve();
      };
      this.child.on('message', listen);
    });
    this.child.send({ command: 'hold' });
    await holding;
  }

  /** The warnings and errors that it logged, and whatever else it printed. */
  get printed(): string {
    return this.output;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Ends it as `kill -9` does. */
  async kill(): Promise<void> {
    const at = nowAt(); // It may do something more before the signal reaches it.
    this.child.kill('SIGKILL');
    await this.exited;
    this.finish();
    this.settings.history.add({ type: 'crash', process: this.settings.name, at: Math.max(at, this.lastAt) });
  }

  /** Ends it in good order. */
  async stop(): Promise<void> {
    if (this.child.connected) this.child.send({ command: 'stop' });
    await this.exited;
    this.finish();
    if (this.child.exitCode !== 0) throw new Error(`the worker ended with ${this.child.exitCode}:\n${this.output}`);
  }

  /** Ends it as whoever replaces it does, who waits until it is gone. */
  async terminate(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.exited;
    this.finish();
    const { exitCode, signalCode } = this.child;
    if (signalCode !== 'SIGTERM') throw new Error(`the worker ended with ${exitCode ?? signalCode}:\n${this.output}`);
  }

  private finish(): void {
    this.read();
    closeSync(this.fd);
    rmSync(this.folder, { recursive: true });
  }

  /** Takes over what the worker has written since the last time. */
  private read(): void {
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      const length = readSync(this.fd, buffer, 0, CHUNK, this.offset);
      if (length === 0) return;
      this.offset += length;
      const lines = (this.rest + buffer.toString('utf8', 0, length)).split('\n');
      this.rest = lines.pop()!;
      for (const line of lines) {
        const event = JSON.parse(line) as HistoryEvent;
        this.lastAt = event.at;
        this.settings.history.add(event);
      }
    }
  }
}
