import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MississippiOptions } from '@mississippi/core';
import type { RabbitMqOptions } from '@mississippi/rabbitmq';
import { HistoryTail } from '@mississippi/history';
import type { History } from './history.js';

const SCRIPT = new URL('worker/worker.mjs', import.meta.url).pathname;

export interface WorkerOptions {
  /** Its name in the history. */
  readonly name: string;
  readonly history: History;
  /** Left out, its transport is embedded. */
  readonly rabbit?: RabbitMqOptions;
  /** Where states are kept that say which messages had their effect; default nowhere. */
  readonly store?: { readonly connectionString: string; readonly schema: string };
  readonly options?: Omit<MississippiOptions, 'transport' | 'store'>;
  /** Keys whose messages fail until it is told to heal. */
  readonly failing?: readonly string[];
  /** How long an attempt takes, and how long every so many. Milliseconds. Default: one round of the event loop. */
  readonly pace?: { readonly usual: number; readonly slow: number; readonly every: number };
}

/** What a worker says to what it was asked. */
interface Answer {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A process of its own that consumes with the built packages. What it does is written into the history. */
export class WorkerProcess {
  private readonly folder = mkdtempSync(join(tmpdir(), 'mississippi-worker-'));
  private readonly tail = new HistoryTail(this.folder);
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private output = '';
  private asked = 0;
  private readonly questions = new Map<number, (answer: Answer) => void>();

  private constructor(private readonly settings: WorkerOptions) {
    const { name, rabbit, store, options = {}, failing = [], pace } = settings;
    // JSON has no Infinity.
    const config = JSON.stringify(
      { name, folder: this.folder, rabbit, store, options, failing, pace },
      (_key, value: unknown) => (value === Infinity ? 'Infinity' : value),
    );
    this.child = fork(SCRIPT, [config], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (data) => (this.output += String(data)));
    }
    this.child.on('message', (message) => {
      const { number } = message as Partial<Answer>;
      if (number !== undefined) this.questions.get(number)?.(message as Answer);
    });
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

  /**
   * Has an embedded worker publish or operate. Rejects with the code of what it throws, or `gone` where it ends before.
   * @param request such as `{ command: 'operate', call: 'state', args: ['k'] }`
   */
  ask(request: { readonly command: 'publish' | 'operate'; readonly [name: string]: unknown }): Promise<unknown> {
    const number = ++this.asked;
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error('gone'));
      this.questions.set(number, ({ value, error }) => {
        this.questions.delete(number);
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
      void this.exited.then(gone);
      this.child.send({ ...request, number }, (error) => error && gone());
    });
  }

  /** Lets the failing keys succeed from now on. */
  heal(): void {
    this.child.send({ command: 'heal' });
  }

  resume(key: string): void {
    this.child.send({ command: 'resume', key });
  }

  /** Keeps its next attempt from ending before {@link terminate}. Resolves when that attempt has started. */
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

  get pid(): number {
    return this.child.pid!;
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
    const { name, history } = this.settings;
    history.test.record({ type: 'fault', fault: 'kill', target: name });
    this.child.kill('SIGKILL');
    await this.exited;
    this.finish('killed');
  }

  /** Ends it in good order. */
  async stop(): Promise<void> {
    if (this.child.connected) this.child.send({ command: 'stop' });
    await this.exited;
    this.finish('left');
    if (this.child.exitCode !== 0) throw new Error(`the worker ended with ${this.child.exitCode}:\n${this.output}`);
  }

  /** Ends it as whoever replaces it does, who waits until it is gone. */
  async terminate(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.exited;
    this.finish('left');
    const { exitCode, signalCode } = this.child;
    if (signalCode !== 'SIGTERM') throw new Error(`the worker ended with ${exitCode ?? signalCode}:\n${this.output}`);
  }

  private finish(how: 'killed' | 'left'): void {
    this.read();
    this.tail.close();
    rmSync(this.folder, { recursive: true });
    this.settings.history.test.record({ type: 'exited', target: this.settings.name, how });
  }

  /** Takes over what the worker has written since the last time. */
  private read(): void {
    for (const event of this.tail.read()) this.settings.history.add(event);
  }
}
